# SPDX-License-Identifier: MIT
#
#   make            the release build: ./sshmend
#   make check      all tests that run on this kernel, with sanitizers
#   make help       the other targets

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

# MODE: release (default), dev (sanitizers, -Werror), cov (coverage), fuzz (clang and its libFuzzer).
MODE ?= release
OUT := build/$(MODE)

LIBS := blkid mount smartcols libcrypto jansson libselinux zlib ext2fs com_err libzstd
PKG_CONFIG ?= pkg-config
# Where there is none, systemd's journal is not read.
HAVE_LIBSYSTEMD := $(shell $(PKG_CONFIG) --exists libsystemd && echo yes)
ifeq ($(HAVE_LIBSYSTEMD),yes)
LIBS += libsystemd
CPPFLAGS += -DHAVE_LIBSYSTEMD
endif
LIB_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(LIBS))
LIB_LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBS))

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wundef
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSSHMEND_VERSION='"$(VERSION)"' -Isrc
CFLAGS_release := -O2 -g -fstack-protector-strong -fstack-clash-protection -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	-ffile-prefix-map=$(CURDIR)=.
LDFLAGS_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
CFLAGS_dev := -O1 -g -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_dev := -fsanitize=address,undefined
CFLAGS_cov := -O0 -g --coverage
LDFLAGS_cov := --coverage
CFLAGS_fuzz := -O1 -g -Werror -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined

# Tables made from src/config/data.
GENERATED := $(OUT)/generated/config/keywords.inc $(OUT)/generated/config/algorithms.inc

COMPILE = $(CC) $(CPPFLAGS) -I$(OUT)/generated $(LIB_CFLAGS) -std=gnu11 $(WARNINGS) $(CFLAGS_$(MODE)) $(CFLAGS) -pthread
LINK = $(CC) $(CFLAGS_$(MODE)) $(CFLAGS) $(LDFLAGS_$(MODE)) $(LDFLAGS) -pthread

SOURCES := $(wildcard src/*/*.c)
OBJECTS := $(SOURCES:src/%.c=$(OUT)/%.o)
MAIN_OBJECT := $(OUT)/main.o
TEST_SOURCES := $(wildcard tests/unit/*.c)
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(OUT)/%.o)
FUZZ_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(filter-out %/libfuzzer.c %/replay.c,$(wildcard tests/fuzz/*.c)))

# What the build and the tests need, as Debian 12, Debian 13 and Ubuntu 24.04 name it.
BUILD_PACKAGES := gcc make pkg-config libblkid-dev libmount-dev libsmartcols-dev libssl-dev \
	libjansson-dev libselinux1-dev zlib1g-dev libsystemd-dev libext2fs-dev libzstd-dev scdoc
TEST_PACKAGES := check clang libclang-rt-dev clang-format shellcheck jq strace mmdebstrap fdisk e2fsprogs \
	xfsprogs btrfs-progs zstd ripgrep time qemu-utils qemu-system-common openssh-client \
	openssl acl attr lvm2 cryptsetup-bin iproute2 xxd procps \
	git gcovr perl systemd systemd-journal-remote rpm openssh-client-ssh1
# What the tests in machines need beyond that.
VM_PACKAGES := qemu-system-x86 ovmf grub-common grub-pc-bin grub-efi-amd64-bin dosfstools mtools

# What the rescue image is made and tried with; its own packages are not installed, only unpacked.
IMAGE_PACKAGES := binutils cpio dosfstools fdisk grub-common kmod mtools squashfs-tools xorriso xz-utils \
	cryptsetup-bin lvm2 ovmf python3 qemu-system-x86

.PHONY: all
all: sshmend

.PHONY: help
help:
	@echo 'make            the release build: ./sshmend'
	@echo 'make deps       installs what build and tests need (Debian, Ubuntu; as root or with sudo)'
	@echo 'make demo       breaks and mends a real disk image, step by step'
	@echo 'make check      all tests that run on this kernel (root; loop devices)'
	@echo 'make check-vm   breaks, mends and boots real systems in qemu: the part for CI; prove-all: all of it'
	@echo 'make iso        the rescue image, from Debian packages: build/rescue-image/ (Debian 12, 13)'
	@echo 'make check-image       boots it by BIOS, UEFI and Secure Boot; check-image-full: every way'
	@echo 'make check-recover-full   the whole matrix of lost keys'
	@echo 'make check-direct-full    every moment of a repair without mounting, and many damaged disks'
	@echo 'make lint       layers, banned calls, usage, man pages, formatting, shell'
	@echo 'make fuzz       libFuzzer on all that is read from a disk: FUZZ_SECONDS (30) each, FUZZ="TARGET…"'
	@echo 'make bench      speed and size, as ratios'
	@echo 'make coverage   lines of src/ that the tests reach'
	@echo 'make install    PREFIX (/usr/local), DESTDIR'
	@echo 'make clean      removes build/ and ./sshmend'

sshmend: build/release/sshmend
	cp -f $< $@

# Both modes by recursion, so that one command line can build both.
build/release/sshmend build/dev/sshmend build/cov/sshmend: build/%/sshmend: FORCE
	@$(MAKE) --no-print-directory MODE=$* build/$*/.sshmend
	@cmp -s build/$*/.sshmend $@ || cp -f build/$*/.sshmend $@
build/dev/unit-tests build/cov/unit-tests: build/%/unit-tests: FORCE
	@$(MAKE) --no-print-directory MODE=$* build/$*/.unit-tests

build/dev/fuzz-replay build/fuzz/fuzzer build/release/config-derived: build/%: FORCE
	@$(MAKE) --no-print-directory MODE=$(*D) build/$(*D)/.$(*F)

$(OUT)/.sshmend: $(OBJECTS) $(MAIN_OBJECT)
	$(LINK) -o $@ $^ $(LIB_LDLIBS)

$(OUT)/.unit-tests: $(OBJECTS) $(TEST_OBJECTS)
	$(LINK) -o $(@D)/unit-tests $^ $(LIB_LDLIBS) $(shell $(PKG_CONFIG) --libs check)
	@touch $@

$(OUT)/.fuzz-replay: $(OBJECTS) $(FUZZ_OBJECTS) $(OUT)/tests/fuzz/replay.o
	$(LINK) -o $(@D)/fuzz-replay $^ $(LIB_LDLIBS)
	@touch $@

$(OUT)/.config-derived: $(OBJECTS) $(OUT)/tests/config/derived.o
	$(LINK) -o $(@D)/config-derived $^ $(LIB_LDLIBS)
	@touch $@

build/fuzz/.fuzzer: CC := clang
build/fuzz/.fuzzer: $(OBJECTS) $(FUZZ_OBJECTS) $(OUT)/tests/fuzz/libfuzzer.o
	$(LINK) -o $(@D)/fuzzer $^ $(LIB_LDLIBS)
	@touch $@

# The search for lost keys by itself, for its tests and the bench.
FIND_OBJECT := $(OUT)/tests/recover/find.o
FIND_ROOMS := $(foreach room,base hostkey device recover,$(filter $(OUT)/$(room)/%,$(OBJECTS)))
build/dev/find build/release/find: build/%/find: FORCE
	@$(MAKE) --no-print-directory MODE=$* build/$*/.find
$(OUT)/.find: $(FIND_ROOMS) $(FIND_OBJECT)
	$(LINK) -o $(@D)/find $^ $(LIB_LDLIBS)
	@touch $@

# It reads an ext4 through its journal, for tests/direct/.
THROUGH_OBJECT := $(OUT)/tests/direct/through.o
THROUGH_ROOMS := $(foreach room,base root ext,$(filter $(OUT)/$(room)/%,$(OBJECTS)))
build/dev/through: build/%/through: FORCE
	@$(MAKE) --no-print-directory MODE=$* build/$*/.through
$(OUT)/.through: $(THROUGH_ROOMS) $(THROUGH_OBJECT)
	$(LINK) -o $(@D)/through $^ $(LIB_LDLIBS)
	@touch $@

$(OUT)/generated/config/%.inc: src/config/data/%.tsv src/config/data/rows.awk
	@mkdir -p $(@D)
	awk -f src/config/data/rows.awk $< > $@

$(filter $(OUT)/config/%,$(OBJECTS)): | $(GENERATED)

$(OUT)/%.o: src/%.c $(OUT)/.flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(OUT)/tests/%.o: tests/%.c $(OUT)/.flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

# Rebuilds when the compiler or its flags change.
$(OUT)/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LINK)' | cmp -s - $@ || echo '$(COMPILE) $(LINK)' > $@

.PHONY: FORCE
FORCE:

-include $(OBJECTS:.o=.d) $(MAIN_OBJECT:.o=.d) $(TEST_OBJECTS:.o=.d) $(FIND_OBJECT:.o=.d) $(THROUGH_OBJECT:.o=.d) $(wildcard $(OUT)/tests/fuzz/*.d $(OUT)/tests/config/*.d)

# ---- installing ------------------------------------------------------------------------------

man/sshmend.8: man/sshmend.8.scd
	scdoc < $< > $@

.PHONY: install
install: sshmend man/sshmend.8
	install -D -m 755 sshmend $(DESTDIR)$(PREFIX)/sbin/sshmend
	install -D -m 644 man/sshmend.8 $(DESTDIR)$(PREFIX)/share/man/man8/sshmend.8
	install -D -m 644 completion/sshmend.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sshmend

# ---- everything else ---------------------------------------------------------------------------

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Installs only what is missing, so that it costs nothing the second time.
.PHONY: deps deps-vm deps-image
deps: WANTED := $(BUILD_PACKAGES) $(TEST_PACKAGES)
deps-vm: WANTED := $(BUILD_PACKAGES) $(TEST_PACKAGES) $(VM_PACKAGES)
deps-image: WANTED := $(BUILD_PACKAGES) $(TEST_PACKAGES) $(IMAGE_PACKAGES)
deps deps-vm deps-image:
	@missing=$$(for p in $(WANTED); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		$(SUDO) apt-get update -q && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

.PHONY: demo
demo: deps
	@$(MAKE) --no-print-directory sshmend
	@$(SUDO) bash tests/demo/demo.sh

.PHONY: check check-unit check-fuzz check-fixtures check-layouts check-run check-fault check-config check-suites \
	check-side-by-side check-direct check-direct-full
check: deps
	@$(MAKE) --no-print-directory -j2 build/dev/sshmend
	@$(MAKE) --no-print-directory -j2 build/dev/unit-tests
	@$(MAKE) --no-print-directory -j2 build/dev/fuzz-replay
	@$(MAKE) --no-print-directory -j2 build/release/sshmend
	@$(MAKE) --no-print-directory -j2 build/release/config-derived
	@$(MAKE) --no-print-directory -j2 build/dev/through
	@$(MAKE) --no-print-directory check-side-by-side check-fuzz check-fixtures check-run check-fault check-direct check-config check-suites check-recover
check-side-by-side:
	@$(MAKE) --no-print-directory -j2 --output-sync=target check-unit check-layouts
check-unit: build/dev/unit-tests
	@$(SUDO) build/dev/unit-tests
check-fuzz: build/dev/fuzz-replay
	@bash tests/fuzz/replay.sh
check-fixtures: build/dev/sshmend
	@$(SUDO) bash tests/fixtures/run.sh
check-layouts: build/dev/sshmend
	@$(SUDO) bash tests/layouts/run.sh
check-run: build/dev/sshmend
	@$(SUDO) bash tests/run/run.sh
check-fault: build/dev/sshmend build/release/sshmend
	@$(SUDO) bash tests/fault/run.sh

check-direct: build/dev/sshmend build/release/sshmend build/dev/through
	@$(SUDO) bash tests/direct/run.sh
check-direct-full: build/dev/sshmend build/release/sshmend build/dev/through
	@$(SUDO) bash tests/direct/run.sh full

check-config: build/release/sshmend build/release/config-derived
	@$(SUDO) bash tests/config/run.sh
check-suites: build/release/sshmend
	@$(SUDO) bash tests/suites/run.sh

.PHONY: check-recover check-recover-full
check-recover: build/dev/find build/release/find
	@$(SUDO) bash tests/recover/run.sh
check-recover-full: build/dev/find build/release/find
	@$(SUDO) bash tests/recover/run.sh full

.PHONY: check-vm prove-all
check-vm: deps-vm
	@$(MAKE) --no-print-directory -j2 build/release/sshmend
	@$(SUDO) bash tests/vm/run.sh
prove-all: deps-vm
	@$(MAKE) --no-print-directory -j2 build/release/sshmend
	@$(SUDO) bash tests/vm/run.sh all

.PHONY: iso check-image check-image-full bench-image
iso: deps-image
	@$(MAKE) --no-print-directory -j2 build/release/sshmend
	@bash rescue-image/build.sh
check-image: iso deps-vm
	@$(SUDO) bash tests/image/run.sh
check-image-full: iso deps-vm
	@$(SUDO) bash tests/image/run.sh --full
bench-image: iso
	@IMAGE=$(CURDIR)/build/rescue-image python3 tests/image/bench.py

.PHONY: lint
lint: deps
	@bash tests/lint/run.sh

.PHONY: fuzz
fuzz: deps
	@$(MAKE) --no-print-directory -j2 build/dev/fuzz-replay
	@$(MAKE) --no-print-directory -j2 build/fuzz/fuzzer
	@bash tests/fuzz/run.sh $(FUZZ)

.PHONY: bench
bench: deps
	@$(MAKE) --no-print-directory sshmend build/release/find
	@$(SUDO) bash tests/bench/run.sh

.PHONY: coverage
coverage: deps
	@$(MAKE) --no-print-directory -j2 build/cov/sshmend
	@$(MAKE) --no-print-directory -j2 build/cov/unit-tests
	@bash tests/coverage.sh

# Made from the program's own words; committed, since readers have no compiler.
.PHONY: docs
docs: sshmend
	sh docs/make-findings.sh ./sshmend > docs/findings.md

.PHONY: docs-picture
docs-picture: iso
	@$(SUDO) env IMAGE=$(CURDIR)/build/rescue-image python3 tests/image/picture.py $(CURDIR)/docs/rescue-image.png

.PHONY: clean
clean:
	rm -rf build sshmend man/sshmend.8
