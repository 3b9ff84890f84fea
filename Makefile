# A thin wrapper over CMake and Ninja. `make help` lists the targets.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)
CMAKE_ARGS ?=

CONFIGURE = cmake -S . -B $(BUILD) -G Ninja -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_ARGS)
NINJA = ninja -C $(BUILD) -j$(JOBS)

.PHONY: all deps configure tests check check-quick check-long demo install clean help

all: configure
	@$(NINJA)

# What is missing is installed by apt, as root or through sudo; otherwise the line to run is printed.
deps:
	@tools/deps.sh build

configure: deps
	@$(CONFIGURE) --log-level=WARNING >/dev/null

tests: configure
	@$(NINJA) all tests

check: tests
	@tools/run_tests.sh $(BUILD) check

check-quick: tests
	@tools/run_tests.sh $(BUILD) quick

check-long: tests
	@tools/check_cpus.sh $(BUILD)
	@tools/run_tests.sh $(BUILD) long

demo: all
	@tools/demo.sh $(BUILD)/protea runs/demo

install: all
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)

clean:
	rm -rf $(BUILD)

help:
	@echo "make              install what is missing, then build $(BUILD)/protea and $(BUILD)/libprotea.so"
	@echo "make demo         train SwAV on a small generated set and evaluate it (runs/demo/report.html)"
	@echo "make check        build and run all tests; check-quick: the short ones; check-long: the long proofs"
	@echo "make install      DESTDIR= and PREFIX=$(PREFIX) say where"
	@echo "make clean        remove $(BUILD)"
