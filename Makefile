# Makefile - build, test, install pptrace. `make help` lists the targets.
# SPDX-License-Identifier: MIT

VERSION := 0.1.0
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
PREFIX ?= /usr/local
DESTDIR ?=
V ?= 0
DEBUG ?= 0
SAN ?=

comma := ,
OUT := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

# The one list of what pptrace needs: Debian package names.
DEPS_BUILD := gcc libc6-dev make pkg-config clang llvm bpftool libbpf-dev libelf-dev libdw-dev \
	libsqlite3-dev libgraphviz-dev graphviz libjansson-dev
DEPS_TEST := sqlite3 strace clang-format fonts-dejavu-core

PKGS := sqlite3 libgvc jansson libdw libelf libbpf
ifneq ($(filter-out deps help clean,$(or $(MAKECMDGOALS),all)),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
endif

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wswitch-enum \
	-Wvla -Werror
CFLAGS ?= $(if $(filter 1,$(DEBUG)),-O0,-O2) -g
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DPPTRACE_VERSION='"$(VERSION)"' \
	-DPPTRACE_LIBDIR='"$(PREFIX)/lib/pptrace"' -fno-strict-aliasing \
	$(WARN) -I. -I$(OUT)/gen $(PKG_CFLAGS) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
LDFLAGS ?=
ALL_LDFLAGS := $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))
LIBS := $(PKG_LIBS) -lm -lpthread

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

ROOMS := base schema verdict tracer viewer
ROOM_SRC := $(foreach r,$(ROOMS),$(sort $(wildcard $(r)/*.c)))
ROOM_OBJ := $(ROOM_SRC:%.c=$(OUT)/%.o)
CLI_OBJ := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard cli/*.c)))
BPF_OBJ := $(patsubst %.bpf.c,$(OUT)/%.bpf.o,$(sort $(wildcard probes/*.bpf.c)))
SHIM_SRC := $(sort $(wildcard probes/shim*.c) $(wildcard probes/shim*.S))
SHIM_OBJ := $(addprefix $(OUT)/pic/,$(addsuffix .o,$(SHIM_SRC)))
DEMOS := $(patsubst demos/%.c,$(OUT)/demos/%,$(sort $(wildcard demos/*.c)))
PROGRAMS := $(patsubst tests/programs/%.c,$(OUT)/tests/programs/%,$(sort $(wildcard tests/programs/*.c)))
UNIT_OBJ := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard tests/unit/*.c)))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo test check deps bench fuzz format lint install uninstall clean help programs

all: $(OUT)/pptrace $(if $(SHIM_SRC),$(OUT)/libpptrace-shim.so) $(DEMOS)

$(OUT)/pptrace: $(ROOM_OBJ) $(CLI_OBJ)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Top-level asm must keep its order here; make knows nothing of .incbin.
$(OUT)/schema/sql.o: ALL_CFLAGS += -fno-toplevel-reorder
$(OUT)/schema/sql.o: $(wildcard schema/*.sql)

# eBPF: one skeleton from several objects.
BPF_CFLAGS := -target bpf -D__TARGET_ARCH_$(subst x86_64,x86,$(subst aarch64,arm64,$(shell uname -m))) \
	-O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -I.
$(OUT)/%.bpf.o: %.bpf.c
	@mkdir -p $(@D)
	$(say) BPF $<
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/gen/pptrace.bpf.o: $(BPF_OBJ)
	@mkdir -p $(@D)
	$(say) BPFLINK $@
	$(Q)$(BPFTOOL) gen object $@ $^

$(OUT)/gen/pptrace.skel.h: $(OUT)/gen/pptrace.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name pptrace_bpf > $@

ifneq ($(BPF_OBJ),)
$(OUT)/tracer/source_ebpf.o: $(OUT)/gen/pptrace.skel.h
endif

# The preload library: no sanitizer, no dependency but libc.
SHIM_CFLAGS := -std=c11 -D_GNU_SOURCE $(WARN) -I. -O2 -g -fPIC -fvisibility=hidden -fno-strict-aliasing \
	-ftls-model=initial-exec -U_FORTIFY_SOURCE
$(OUT)/pic/%.o: %
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/libpptrace-shim.so: $(SHIM_OBJ)
	$(say) LINK $@
	$(Q)$(CC) -shared -Wl,-z,defs -Wl,-z,now -o $@ $^ $(if $(wildcard probes/shim.map),-Wl$(comma)--version-script=probes/shim.map) -ldl -lpthread

# Plain programs, as a learner would compile them.
$(OUT)/demos/%: demos/%.c $(wildcard demos/*.h)
	@mkdir -p $(@D)
	$(say) DEMO $@
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -g -fno-omit-frame-pointer -I. -o $@ $< -lpthread

$(OUT)/tests/programs/%: tests/programs/%.c $(wildcard tests/programs/*.h)
	@mkdir -p $(@D)
	$(say) PROG $@
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -g -fno-omit-frame-pointer -I. -o $@ $< -lpthread

programs: $(PROGRAMS)

$(OUT)/tests/unit/run: $(UNIT_OBJ) $(ROOM_OBJ)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

clean:
	rm -rf build

-include $(ROOM_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(BPF_OBJ:.o=.d) $(SHIM_OBJ:.o=.d) $(UNIT_OBJ:.o=.d)
