# SPDX-License-Identifier: MIT
#
#   make            the release build: ./sshmend
#   make check      all tests that run on this kernel, with sanitizers
#   make help       the other targets

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

# MODE: release (default), dev (sanitizers, -Werror), cov (coverage).
MODE ?= release
OUT := build/$(MODE)

LIBS := blkid mount smartcols libcrypto jansson libselinux
PKG_CONFIG ?= pkg-config
LIB_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(LIBS))
LIB_LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBS))

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wundef
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSSHMEND_VERSION='"$(VERSION)"' -Isrc
CFLAGS_release := -O2 -g -fstack-protector-strong -fstack-clash-protection -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LDFLAGS_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
CFLAGS_dev := -O1 -g -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_dev := -fsanitize=address,undefined
CFLAGS_cov := -O0 -g --coverage
LDFLAGS_cov := --coverage

COMPILE = $(CC) $(CPPFLAGS) $(LIB_CFLAGS) -std=gnu11 $(WARNINGS) $(CFLAGS_$(MODE)) $(CFLAGS) -pthread
LINK = $(CC) $(CFLAGS_$(MODE)) $(CFLAGS) $(LDFLAGS_$(MODE)) $(LDFLAGS) -pthread

SOURCES := $(wildcard src/*/*.c)
OBJECTS := $(SOURCES:src/%.c=$(OUT)/%.o)
MAIN_OBJECT := $(OUT)/main.o

.PHONY: all
all: sshmend

sshmend: build/release/sshmend
	cp -f $< $@

build/release/sshmend: FORCE
	@$(MAKE) --no-print-directory MODE=release build/release/.sshmend
	@cmp -s build/release/.sshmend $@ || cp -f build/release/.sshmend $@
build/dev/sshmend: FORCE
	@$(MAKE) --no-print-directory MODE=dev build/dev/.sshmend
	@cmp -s build/dev/.sshmend $@ || cp -f build/dev/.sshmend $@

$(OUT)/.sshmend: $(OBJECTS) $(MAIN_OBJECT)
	$(LINK) -o $@ $^ $(LIB_LDLIBS)

$(OUT)/%.o: src/%.c $(OUT)/.flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

# Rebuilds when the compiler or its flags change.
$(OUT)/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LINK)' | cmp -s - $@ || echo '$(COMPILE) $(LINK)' > $@

.PHONY: FORCE
FORCE:

-include $(OBJECTS:.o=.d) $(MAIN_OBJECT:.o=.d)
