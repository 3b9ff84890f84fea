# Every recipes/NAME.yaml becomes an array of bytes in the library, so that the command needs no files beside it.
file(GLOB RECIPES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/recipes/*.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${RECIPES})
set(recipe_arrays "")
set(recipe_rows "")
set(recipe_names "")
foreach(file ${RECIPES}) # sorted by name
  get_filename_component(name ${file} NAME_WE)
  string(MAKE_C_IDENTIFIER ${name} symbol)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(....................................................................................................)"
         "\\1\n" bytes "${bytes}")
  string(APPEND recipe_arrays "static const unsigned char ${symbol}[] = {\n${bytes} 0 };\n")
  string(APPEND recipe_rows "    { \"${name}\", (const char *)${symbol}, sizeof ${symbol} - 1 },\n")
  string(APPEND recipe_names "    \"${name}\",\n")
endforeach()
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/recipe_files.c CONTENT
"/* Made by src/base/recipes.cmake from recipes/. */
#include \"base/recipe.h\"
${recipe_arrays}
const protea_recipe_file protea_recipe_files[] = {
${recipe_rows}    { 0, 0, 0 },
};
const char *const protea_recipe_file_names[] = {
${recipe_names}    0,
};
")
list(APPEND SOURCES ${CMAKE_BINARY_DIR}/recipe_files.c)
