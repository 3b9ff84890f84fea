# Sources simd_*.c are compiled once per instruction set: each time with its flags, its vector length (PROTEA_LANES floats)
# and its suffix on the one function that the file exports.
file(GLOB SIMD_SOURCES CONFIGURE_DEPENDS src/backend/cpu/simd_*.c src/image/simd_*.c)
list(REMOVE_ITEM SOURCES ${SIMD_SOURCES})
# So are winograd_*.c, where vectors have 8 floats or 16, and direct_weights.c, where they have 16.
file(GLOB WINOGRAD_SOURCES CONFIGURE_DEPENDS src/backend/cpu/winograd_*.c)
set(DIRECT_SOURCES src/backend/cpu/direct_weights.c)
list(REMOVE_ITEM SOURCES ${WINOGRAD_SOURCES} ${CMAKE_CURRENT_SOURCE_DIR}/${DIRECT_SOURCES})

# Products and sums in one instruction: what their inner loops are about.
set_source_files_properties(src/backend/cpu/simd_nearest.c src/backend/cpu/simd_peak.c ${WINOGRAD_SOURCES} ${DIRECT_SOURCES}
  PROPERTIES COMPILE_OPTIONS -ffp-contract=fast)

# Never so where results are bytes that others give too: clang would by itself.
set_source_files_properties(src/image/simd_colour.c src/image/simd_hue.c src/image/ref_pixels.c PROPERTIES COMPILE_OPTIONS
  -ffp-contract=off)

function(protea_simd suffix lanes sources)
  add_library(simd_${suffix} OBJECT ${${sources}})
  set_target_properties(simd_${suffix} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(simd_${suffix} PRIVATE include src)
  target_compile_definitions(simd_${suffix} PRIVATE _GNU_SOURCE PROTEA_LANES=${lanes} PROTEA_SUFFIX=${suffix})
  # No value changes: only floating-point exceptions, which nobody reads, are not kept in order; without it no clamp is a
  # vector instruction.
  target_compile_options(simd_${suffix} PRIVATE -fno-trapping-math ${ARGN})
  target_link_libraries(simd_${suffix} PRIVATE OpenMP::OpenMP_C protea_warnings)
  set(SIMD_OBJECTS ${SIMD_OBJECTS} $<TARGET_OBJECTS:simd_${suffix}> PARENT_SCOPE)
endfunction()

protea_simd(base 4 SIMD_SOURCES) # SSE2 on x86-64, NEON on Arm
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(AVX512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512)
  set(WIDE_SOURCES ${SIMD_SOURCES} ${WINOGRAD_SOURCES})
  set(WIDEST_SOURCES ${WIDE_SOURCES} ${DIRECT_SOURCES})
  protea_simd(avx2 8 WIDE_SOURCES -mavx2 -mfma)
  protea_simd(avx512 16 WIDEST_SOURCES ${AVX512})
  set(ROUNDING_SOURCES ${WINOGRAD_SOURCES} ${DIRECT_SOURCES} src/backend/cpu/simd_batchnorm.c
    src/backend/cpu/simd_weight_tiles.c) # to bf16 by one instruction
  protea_simd(avx512bf16 16 ROUNDING_SOURCES ${AVX512} -mavx512bf16)
endif()

# Kernels on Intel's matrix unit, called only where the machine has it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(src/backend/cpu/amx_conv.c src/backend/cpu/amx_backward_weights.c
    src/backend/cpu/amx_nearest.c src/backend/cpu/amx_peak.c PROPERTIES COMPILE_OPTIONS
    "-mavx512f;-mavx512bw;-mavx512vl;-mavx512bf16;-mamx-tile;-mamx-bf16;-mprefer-vector-width=512")
endif()

# Products of bf16 on vectors, likewise.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(src/backend/cpu/bf16_nearest.c
    src/backend/cpu/bf16_peak.c PROPERTIES COMPILE_OPTIONS
    "-mavx512f;-mavx512bw;-mavx512vl;-mavx512bf16;-mprefer-vector-width=512")
endif()
