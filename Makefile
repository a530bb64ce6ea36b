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
COVERAGE ?= 0
# 0: without eBPF, where libbpf 1.0, clang or bpftool cannot be had; pptrace then records with the preload library alone.
EBPF ?= 1
# For another processor: CROSS=aarch64-linux-gnu- is what its compiler's name begins with; SYSROOT, if set, is where
# its headers and libraries are, as tools/sysroot.sh fetches them. Man pages and completions are made by the program
# itself and left out.
CROSS ?=
SYSROOT ?= $(if $(CROSS),$(wildcard build/sysroot/$(CROSS:%-linux-gnu-=%)))
ARCH := $(if $(CROSS),$(CROSS:%-linux-gnu-=%),$(shell uname -m))
ifneq ($(CROSS),)
CC := $(filter ccache,$(CC)) $(CROSS)gcc $(if $(SYSROOT),--sysroot=$(SYSROOT))
ifneq ($(SYSROOT),)
PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(CROSS:%-=%)/pkgconfig:$(SYSROOT)/usr/share/pkgconfig pkg-config
else
PKG_CONFIG := $(CROSS)pkg-config
endif
endif
PKG_CONFIG ?= pkg-config

comma := ,
OUT := build$(if $(CROSS),/$(ARCH))$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(filter 1,$(COVERAGE)),/coverage)

# The one list of what pptrace needs: Debian package names.
DEPS_EBPF := clang llvm bpftool libbpf-dev
DEPS_BUILD := gcc libc6-dev make pkg-config $(if $(filter 1,$(EBPF)),$(DEPS_EBPF)) libelf-dev libdw-dev libiberty-dev \
	libsqlite3-dev libcurl4-openssl-dev liblz4-dev libgraphviz-dev graphviz libgvplugin-neato-layout8? libjansson-dev libncurses-dev libprotobuf-c-dev protobuf-c-compiler
DEPS_TEST := bsdutils bubblewrap:bwrap cargo:cargo chromium clang-format clickhouse-client clickhouse-server cmake:cmake fonts-dejavu-core g++ gcc-multilib gdb gfortran git golang-go:go iproute2:ip libcap2-bin libpython3.11-testsuite \
	libmpich-dev libopenmpi-dev libxml2-utils man-db mpich musl-tools nodejs:node npm:npm openjdk-17-jdk-headless:javac openmpi-bin openssl perl pngcheck poppler-utils:pdfinfo procps python3 python3-pytest redis-server redis-tools ruby rustc \
	shellcheck sqlite3 strace stress-ng util-linux
# The tracers that `make bench` compares with, and what its workloads need.
DEPS_BENCH := bpftool bpftrace gcc liblttng-ust1? linux-perf:perf ltrace lttng-tools make nginx postgresql:pgbench python3 \
	redis-server redis-tools:redis-benchmark strace uftrace valgrind wrk
# And what the long tests need: emulated machines.
DEPS_CROSS := gcc-aarch64-linux-gnu libc6-dev-arm64-cross
DEPS_LONG := $(DEPS_CROSS) binutils busybox-static cpio dash debootstrap qemu-system-arm qemu-system-x86 zookeeper
# What a system of another processor needs of them, and what the machine that is emulated runs.
DEPS_SYSROOT := $(filter lib%-dev,$(DEPS_BUILD)) libbpf-dev busybox-static coreutils dash

PKGS := sqlite3 libgvc jansson ncursesw libprotobuf-c libdw libelf liblz4 $(if $(filter 1,$(EBPF)),libbpf)
ifneq ($(filter-out deps deps-long bench-deps sysroot help clean demo test,$(or $(MAKECMDGOALS),all)),)
ifeq ($(EBPF)$(shell $(PKG_CONFIG) --exists libbpf && ! $(PKG_CONFIG) --atleast-version=1.0 libbpf && echo old),1old)
$(error libbpf $(shell $(PKG_CONFIG) --modversion libbpf) is too old, 1.0 is needed: `make EBPF=0` builds pptrace without eBPF)
endif
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
endif

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wswitch-enum \
	-Wvla -Werror
# gcc 10 and older take a compound literal among designated initializers for the end of the list.
ifeq ($(shell [ "$$($(CC) -dumpversion 2>/dev/null | cut -d. -f1)" -lt 11 ] 2>/dev/null && echo old),old)
WARN += -Wno-missing-field-initializers
endif
# With sanitizers -O1, which compiles in two thirds of the time and hides fewer mistakes.
CFLAGS ?= $(if $(filter 1,$(DEBUG) $(COVERAGE)),-O0,$(if $(SAN),-O1,-O2)) -g
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DPPTRACE_VERSION='"$(VERSION)"' \
	-DPPTRACE_LIBDIR='"$(PREFIX)/lib/pptrace"' -fno-strict-aliasing \
	$(WARN) -I. -I$(OUT)/gen $(PKG_CFLAGS) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -Wno-error) \
	$(if $(filter 1,$(COVERAGE)),--coverage -fprofile-update=atomic -Wno-error)
LDFLAGS ?=
ALL_LDFLAGS := $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN)) $(if $(filter 1,$(COVERAGE)),--coverage)
LIBS := $(PKG_LIBS) -liberty -lm -ldl -lpthread

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

ROOMS := base schema verdict tracer viewer fleet
# The files of a room and of the folders in it.
files_in = $(sort $(foreach r,$(1),$(wildcard $(addprefix $(r)/,$(2) $(addprefix */,$(2)) $(addprefix */*/,$(2)) $(addprefix */*/*/,$(2))))))
# What there is of each only with eBPF, and only without.
EBPF_SRC := $(filter-out tracer/ebpf/without.c,$(wildcard tracer/ebpf/*.c)) tracer/doctor/try_ebpf.c
NO_EBPF_SRC := tracer/ebpf/without.c tracer/doctor/without_ebpf.c
ROOM_SRC := $(filter-out $(if $(filter 1,$(EBPF)),$(NO_EBPF_SRC),$(EBPF_SRC)),$(call files_in,$(ROOMS),*.c))
PROTO_H := $(patsubst %.proto,$(OUT)/gen/%.pb-c.h,$(call files_in,$(ROOMS),*.proto))
ROOM_OBJ := $(ROOM_SRC:%.c=$(OUT)/%.o) $(PROTO_H:.h=.o)
CLI_OBJ := $(patsubst %.c,$(OUT)/%.o,$(call files_in,cli,*.c))
BPF_SRC := $(call files_in,probes/ebpf,*.bpf.c)
# The same programs for newer and older kernels: probes/ebpf/kernel/edition.h.
EDITIONS := casts plain old
BPF_OBJ := $(foreach e,$(EDITIONS),$(BPF_SRC:%.bpf.c=$(OUT)/$(e)/%.bpf.o))
SHIM_SRC := $(call files_in,probes/shim,*.c *.S)
SHIM_OBJ := $(addprefix $(OUT)/pic/,$(addsuffix .o,$(SHIM_SRC)))
MPI_SRC := $(call files_in,probes/mpi,*.c)
MPI_OBJ := $(addprefix $(OUT)/pic/,$(addsuffix .o,$(MPI_SRC) probes/shim/real.c))
# Programs of one file each; those of a folder and of its topics stand side by side in build/.
programs_of = $(addprefix $(OUT)/$(1)/,$(basename $(notdir $(call files_in,$(1),*.c))))
DEMOS := $(call programs_of,demos)
# Scripts, side by side in a folder that keeps its name.
PYTHON_DEMOS := $(addprefix $(OUT)/,$(wildcard demos/python/*.py))
PROGRAMS := $(call programs_of,tests/programs)
CORPUS := $(call programs_of,tests/corpus)
# And those of other languages.
CORPUS_MORE := $(addprefix $(OUT)/tests/corpus/,$(basename $(notdir $(call files_in,tests/corpus,*.cc *.rs *.go))) \
	$(addsuffix .class,$(basename $(notdir $(call files_in,tests/corpus,*.java)))))
UNIT_OBJ := $(patsubst %.c,$(OUT)/%.o,$(filter-out $(if $(filter 0,$(EBPF)),tests/unit/tracer/ebpf/%),$(call files_in,tests/unit,*.c)))
# Changes when EBPF does: what is linked differs, no object does.
EBPF_MARK := $(OUT)/gen/ebpf-$(EBPF)
ifneq ($(filter-out deps deps-long bench-deps help clean,$(or $(MAKECMDGOALS),all)),)
$(shell [ -e $(EBPF_MARK) ] || { mkdir -p $(OUT)/gen; rm -f $(OUT)/gen/ebpf-?; touch $(EBPF_MARK); })
endif

.DELETE_ON_ERROR:
.SECONDARY:
COMPLETIONS := $(OUT)/pptrace.bash $(OUT)/pptrace.zsh $(OUT)/pptrace.fish

.PHONY: sysroot deb test-fleet pictures corpus compile_commands.json all demo test test-kernels test-distros test-long check deps deps-long bench bench-deps fuzz fuzz-keep format lint coverage install uninstall clean help programs

all: $(OUT)/pptrace $(if $(CROSS),,$(OUT)/pptrace.1 $(OUT)/man/done $(COMPLETIONS)) $(if $(SHIM_SRC),$(OUT)/libpptrace-shim.so) $(OUT)/libpptrace-mpi.so $(DEMOS) $(PYTHON_DEMOS)

$(OUT)/pptrace: $(ROOM_OBJ) $(CLI_OBJ) $(EBPF_MARK)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The messages of perfetto.proto as C, by Debian's protoc-c.
$(OUT)/gen/%.pb-c.c $(OUT)/gen/%.pb-c.h: %.proto
	@mkdir -p $(@D)
	$(say) PROTO $<
	$(Q)protoc-c --c_out=$(OUT)/gen $<

$(OUT)/gen/%.o: $(OUT)/gen/%.c
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/viewer/export/perfetto.o $(OUT)/tests/unit/viewer/export/perfetto.o: $(PROTO_H)

# What base/embed.h puts into them, of which the compiler knows nothing.
$(OUT)/schema/sql.o: $(wildcard schema/sql/*.sql)
$(OUT)/viewer/page/page.o: $(wildcard viewer/page/*.css viewer/page/*.js viewer/page/explore/*.js)
$(OUT)/viewer/flame/svg.o: $(wildcard viewer/flame/*.css viewer/flame/*.js)
$(OUT)/verdict/lessons.o: $(wildcard doc/rules/*.txt)
$(OUT)/schema/queries/queries.o: $(wildcard schema/queries/*.sql)

# A trace file without rows, which schema/image/image.c holds; made by a program of this machine, so not for another (CROSS).
SCHEMA_IMAGE_OBJ := $(addprefix $(OUT)/,tools/schema_image.o schema/image/make.o schema/sql.o base/mem.o)
$(OUT)/gen/schema.db: $(if $(CROSS),,$(SCHEMA_IMAGE_OBJ))
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)rm -f $@ $@-wal $@-shm
ifeq ($(CROSS),)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $(OUT)/gen/schema_image $^ $(shell $(PKG_CONFIG) --libs sqlite3)
	$(Q)$(OUT)/gen/schema_image $@
else
	$(Q): > $@
endif
IMAGE_OBJ := $(OUT)/schema/image/image.o build/fuzz/obj/schema/image/image.o
$(IMAGE_OBJ): ALL_CFLAGS += -Wa,-I$(OUT)/gen
$(IMAGE_OBJ): $(OUT)/gen/schema.db

# eBPF: several objects are linked to one for each edition; one skeleton serves all of them.
BPF_CFLAGS := -target bpf -D__TARGET_ARCH_$(subst x86_64,x86,$(subst aarch64,arm64,$(ARCH))) \
	-O2 -g -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra -Werror -Wno-unused-parameter -I.
EDITION_casts := -DEDITION_CASTS
EDITION_old := -DEDITION_OLD

define edition
$(OUT)/$(1)/%.bpf.o: %.bpf.c
	@mkdir -p $$(@D)
	$$(say) BPF "$$< ($(1))"
	$$(Q)$$(CLANG) $$(BPF_CFLAGS) $$(EDITION_$(1)) -MMD -MP -c -o $$@ $$<

$(OUT)/gen/$(1).bpf.o: $(BPF_SRC:%.bpf.c=$(OUT)/$(1)/%.bpf.o)
	@mkdir -p $$(@D)
	$$(say) BPFLINK $$@
	$$(Q)$$(BPFTOOL) gen object $$@ $$^

# The bytes themselves are embedded by tracer/ebpf/object.c.
$(OUT)/gen/$(1).skel.h: $(OUT)/gen/$(1).bpf.o
	$$(Q)$$(BPFTOOL) gen skeleton $$< name pptrace_bpf | \
		sed '/elf_bytes.*;/d; /^static inline const void \*pptrace_bpf__elf_bytes/,/^}/d; /elf_bytes/d' > $$@
endef
$(foreach e,$(EDITIONS),$(eval $(call edition,$(e))))
# Exchanging a word at once is an instruction of the third version, which all kernels of this edition know.
$(OUT)/casts/probes/ebpf/fold.bpf.o: BPF_CFLAGS += -mcpu=v3

$(OUT)/gen/pptrace.skel.h: $(foreach e,$(EDITIONS),$(OUT)/gen/$(e).skel.h)
	$(say) SKEL $@
	$(Q)for e in $^; do cmp $$e $< || { echo "the editions have other programs, maps or variables"; exit 1; }; done
	$(Q)cp $< $@

$(OUT)/tracer/ebpf/object.o: ALL_CFLAGS += -Wa,-I$(OUT)/gen
$(OUT)/tracer/ebpf/object.o: $(foreach e,$(EDITIONS),$(OUT)/gen/$(e).bpf.o)

$(patsubst %.c,$(OUT)/%.o,$(EBPF_SRC)) $(filter $(OUT)/tests/unit/tracer/ebpf/%,$(UNIT_OBJ)): $(OUT)/gen/pptrace.skel.h

# The list of demos, from their first lines: name, what it does, arguments to try it with.
$(OUT)/gen/demos.def: tools/demos.awk $(call files_in,demos,*.c) $(wildcard demos/python/*.py)
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)awk -f $^ > $@

$(OUT)/cli/cmd_demo.o: $(OUT)/gen/demos.def

# The functions that the preload library wraps to record them beside eBPF: those of locks and threads, and those that start programs.
WRAPPED_SRC := $(filter probes/shim/locks/%,$(SHIM_SRC)) $(addprefix probes/shim/calls/processes/,exec.c fork.c shell.c vfork.S)
$(OUT)/gen/wrapped.def: $(WRAPPED_SRC:%=$(OUT)/pic/%.o)
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)$(CROSS)nm -g --defined-only $^ | awk '$$2 ~ /[TW]/ { sub(/@.*/, "", $$3); print "WRAPPED(\"" $$3 "\")" }' | LC_ALL=C sort -u > $@

$(OUT)/tracer/shim/plain.o: $(OUT)/gen/wrapped.def

# What the command rows say, as a part of the man page and as completion.
$(OUT)/pptrace.bash $(OUT)/pptrace.zsh $(OUT)/pptrace.fish: $(OUT)/pptrace.%: $(OUT)/pptrace
	$(say) GEN $@
	$(Q)$(OUT)/pptrace help --completion=$* > $@

$(OUT)/pptrace.1: doc/pptrace.1.in $(OUT)/pptrace
	$(say) GEN $@
	$(Q)$(OUT)/pptrace help --man > $@.commands
	$(Q)sed -e '/^@COMMANDS@$$/{r $@.commands' -e 'd}' -e 's/@VERSION@/$(VERSION)/' $< > $@

# A page for each command.
$(OUT)/man/done: tools/man.awk $(OUT)/pptrace
	@mkdir -p $(@D)
	$(say) GEN $(@D)
	$(Q)$(OUT)/pptrace help --man | awk -v OUT=$(@D) -v VERSION=$(VERSION) -f $<
	$(Q)touch $@

# What a package's own flags say of the folder in which it is built holds for all that is compiled: no result names it.
PATH_MAP := $(filter -ffile-prefix-map=% -fdebug-prefix-map=%,$(CFLAGS))

# The preload library: no sanitizer, no dependency but libc.
SHIM_CFLAGS := $(PATH_MAP) -std=c11 -D_GNU_SOURCE $(WARN) -I. -O2 -g -fPIC -fvisibility=hidden -fno-strict-aliasing -fno-omit-frame-pointer \
	-ftls-model=initial-exec -U_FORTIFY_SOURCE
$(OUT)/pic/%.o: %
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<

# Versions of names are for functions that have two, which x86 alone has.
# Every program of a recording loads it: two segments instead of four, and no look-up of its own functions by name.
$(OUT)/libpptrace-shim.so: $(SHIM_OBJ)
	$(say) LINK $@
	$(Q)$(CC) -shared -Wl,-z,defs -Wl,-z,now -Wl,-z,noseparate-code -Wl,-Bsymbolic-functions -o $@ $^ $(if $(filter x86_64,$(ARCH)),-Wl$(comma)--version-script=probes/shim/shim.map) -ldl -lpthread

# Loaded beside it into the ranks of an MPI job.
$(OUT)/libpptrace-mpi.so: $(MPI_OBJ)
	$(say) LINK $@
	$(Q)$(CC) -shared -Wl,-z,defs -Wl,-z,now -Wl,-z,noseparate-code -Wl,-Bsymbolic-functions -o $@ $^ -ldl

# gcc warns wrongly in sanitizer builds (-Wno-error there); the plain build is the strict one.
# Plain programs, as a learner would compile them.
$(foreach d,demos tests/programs tests/corpus,$(foreach f,$(call files_in,$(d),*.c),$(eval \
	$(OUT)/$(d)/$(basename $(notdir $(f))): $(f) $(call files_in,$(d),*.h))))
$(DEMOS) $(PROGRAMS) $(CORPUS):
	@mkdir -p $(@D)
	$(say) PROG $@
	$(Q)$(CC) $(PATH_MAP) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -g -fno-omit-frame-pointer -I. -o $@ $(filter %.c,$^) -lpthread -lrt -lutil

$(PYTHON_DEMOS): $(OUT)/%: %
	@mkdir -p $(@D)
	$(Q)install -m 755 $< $@

$(OUT)/tests/corpus/%: tests/corpus/languages/%.cc
	@mkdir -p $(@D)
	$(say) PROG $@
	$(Q)$(CXX) -std=c++17 -Wall -Wextra -Werror -O1 -g -fno-omit-frame-pointer -o $@ $< -lpthread

$(OUT)/tests/corpus/%: tests/corpus/languages/%.rs
	@mkdir -p $(@D)
	$(say) PROG $@
	$(Q)MAKEFLAGS= rustc -g -o $@ $<

$(OUT)/tests/corpus/%: tests/corpus/languages/%.go
	@mkdir -p $(@D)
	$(say) PROG $@
	$(Q)go build -o $@ $<

$(OUT)/tests/corpus/%.class: tests/corpus/java/%.java
	@mkdir -p $(@D)
	$(say) PROG $@
	$(Q)javac -d $(@D) $<

programs: $(PROGRAMS) $(CORPUS) $(CORPUS_MORE) $(if $(filter 1,$(EBPF)),$(OUT)/tests/kernels/insns)

# What of cli/ only reads texts is tested too.
CLI_TESTED := common/options common/say
$(OUT)/tests/unit/run: $(UNIT_OBJ) $(ROOM_OBJ) $(CLI_TESTED:%=$(OUT)/cli/%.o) $(EBPF_MARK)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

# What the verifier of a kernel says, for the tests on many kernels.
$(OUT)/tests/kernels/insns: tests/kernels/insns.c $(ROOM_OBJ)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

# ---- Tests ----

# Fast: unit tests, fixtures, consistency; no root, no BPF.
CHECK_E2E := $(sort $(wildcard tests/check/*.sh))
# What takes longest begins first, so that nothing waits for it alone in the end.
TEST_FIRST := $(wildcard $(addprefix tests/e2e/,verdict/corpus.sh mpi/mpi.sh fleet/push.sh pictures/report.sh languages/golang.sh))
TEST_E2E := $(TEST_FIRST) $(filter-out $(TEST_FIRST),$(call files_in,tests/e2e,*.sh))
export TEST

check: all $(OUT)/tests/unit/run
	$(Q)BUILD=$(CURDIR)/build tests/run.sh -j 2 $(OUT)/tests/unit/run $(CHECK_E2E)

# Everything, with the packages it needs; the unit tests once more with sanitizers.
test:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory -j2 all programs build/tests/unit/run
	$(Q)$(MAKE) --no-print-directory -j2 SAN=address,undefined build/san-address-undefined/tests/unit/run
	$(Q)BUILD=$(CURDIR)/build tests/run.sh -j 2 build/tests/unit/run \
		build/san-address-undefined/tests/unit/run $(CHECK_E2E) $(TEST_E2E)

# Many hosts: with a ClickHouse server that each test starts for itself.
test-fleet: all
	$(Q)tools/deps.sh $(DEPS_BUILD) $(DEPS_TEST)
	$(Q)$(MAKE) --no-print-directory -j2 all programs
	$(Q)BUILD=$(CURDIR)/build tests/run.sh -j 1 $(filter tests/e2e/fleet/%,$(TEST_E2E))

# ---- What must be installed ----

deps:
	$(Q)tools/deps.sh $(DEPS_BUILD) $(DEPS_TEST)

deps-long:
	$(Q)tools/deps.sh $(DEPS_LONG)

# The headers and libraries of the processor that CROSS names: build/sysroot/...
sysroot:
	$(Q)tools/deps.sh $(DEPS_CROSS)
	$(Q)tools/sysroot.sh $(ARCH) build/sysroot/$(ARCH) $(DEPS_SYSROOT)

# Who finds what: pptrace and its peers on tests/corpus; writes doc/corpus.md.
corpus: all programs
	$(Q)BUILD=$(CURDIR)/build tools/corpus.sh

# Debian's kernels, emulated; writes doc/platforms.md.
test-kernels: all $(OUT)/tests/kernels/insns
	$(Q)tools/deps.sh $(DEPS_LONG)
	$(Q)FILE_LIMIT=7200 BUILD=$(CURDIR)/build tests/run.sh -j 1 tests/kernels/kernels.sh

# Debian's other releases: built, checked, and their programs recorded; fills build/distros.
test-distros: all
	$(Q)tools/deps.sh $(DEPS_LONG)
	$(Q)FILE_LIMIT=14400 BUILD=$(CURDIR)/build tests/run.sh -j 1 tests/distros/distros.sh

# The same kinds of harm as in tests/e2e, many more times: hours.
test-long: all programs
	$(Q)FILE_LIMIT=14400 BUILD=$(CURDIR)/build ROUNDS=334 tests/run.sh -j 2 tests/e2e/run/tracer_gone.sh
	$(Q)FILE_LIMIT=14400 BUILD=$(CURDIR)/build tests/run.sh -j 2 $(sort $(wildcard tests/long/*.sh))
	$(Q)FILE_LIMIT=7200 LONG=1 BUILD=$(CURDIR)/build tests/run.sh -j 1 $(sort $(wildcard tests/e2e/languages/*.sh)) tests/e2e/capture/fallback.sh
	$(Q)$(MAKE) --no-print-directory fuzz TIME=600

demo:
	$(Q)tools/deps.sh $(DEPS_BUILD)
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)tools/demo.sh

$(OUT)/bench/work: bench/work.c
	@mkdir -p $(@D)
	$(say) BENCH $@
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -I. -o $@ $< base/mem.c -lpthread

# What recording a call consists of, step by step.
LADDER := $(if $(filter 1,$(EBPF)),$(OUT)/bench/ladder)
$(OUT)/bench/ladder.bpf.o: bench/ladder.bpf.c bench/ladder.h
	@mkdir -p $(@D)
	$(say) BPF $<
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(OUT)/bench/ladder.skel.h: $(OUT)/bench/ladder.bpf.o
	$(Q)$(BPFTOOL) gen skeleton $< name ladder_bpf > $@

$(OUT)/bench/ladder: bench/ladder.c $(OUT)/bench/ladder.skel.h
	$(say) BENCH $@
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -O2 -I. -I$(OUT)/bench -o $@ $< -lbpf -lelf

$(OUT)/bench/steps-%.so: bench/steps.c
	@mkdir -p $(@D)
	$(say) BENCH $@
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -I. -shared -fPIC -ftls-model=initial-exec -DSTEP=$* -o $@ $<

$(OUT)/bench/languages: bench/languages.c $(ROOM_OBJ)
	@mkdir -p $(@D)
	$(say) BENCH $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

# Everything, or the workloads that WORK names; only the whole is worth a page.
bench: all $(OUT)/bench/work $(OUT)/bench/languages $(LADDER) $(patsubst %,$(OUT)/bench/steps-%.so,0 1 2)
	$(Q)bench/bench.py --rounds $(or $(ROUNDS),5) $(if $(WORK),$(WORK),--doc)

bench-deps:
	$(Q)tools/deps.sh $(DEPS_BENCH)

# ---- Fuzzing: make fuzz [TIME=seconds for each target]; make fuzz-keep puts what they found worth keeping into tests/fuzz/seeds ----

TIME ?= 60
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(sort $(wildcard tests/fuzz/*.c)))
FUZZ_CFLAGS = $(filter-out -Werror,$(ALL_CFLAGS)) -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJ := $(patsubst %.c,build/fuzz/obj/%.o,$(ROOM_SRC) $(CLI_TESTED:%=cli/%.c)) $(PROTO_H:.h=.o)
build/fuzz/obj/%.o: %.c $(if $(BPF_SRC),$(OUT)/gen/pptrace.skel.h) $(PROTO_H) $(OUT)/gen/wrapped.def
	@mkdir -p $(@D)
	$(say) FUZZ-CC $<
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

# It changes the memory that the readers see.
build/fuzz/runtime: FUZZ_LIBS = $(patsubst %,-Wl$(comma)--wrap=%,core_read memory_read memory_cached memory_pointer memory_u32)
build/fuzz/%: tests/fuzz/%.c $(FUZZ_OBJ)
	$(say) FUZZ $@
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS) $(FUZZ_LIBS)

# Unpacks what the target $$f begins with.
fuzz_seeds = mkdir -p $$f.corpus $$f.seeds && for s in tests/fuzz/seeds/$${f\#\#*/}.tar.gz; do [ ! -e $$s ] || tar -xzf $$s -C $$f.seeds; done

fuzz: $(FUZZERS) $(OUT)/demos/philosophers $(OUT)/demos/deadlock-self
	$(Q)mkdir -p build/fuzz/module.corpus && cp $(OUT)/demos/philosophers build/fuzz/module.corpus
	$(Q)mkdir -p build/fuzz/core.corpus && cd build/fuzz/core.corpus && ulimit -c unlimited && \
		{ timeout -s ABRT 1 $(abspath $(OUT))/demos/deadlock-self; for c in core*; do head -c 60000 $$c >seed; rm -f $$c; done; } 2>/dev/null || :
	$(Q)tests/fuzz/runtime_cores.sh build/fuzz/runtime.cores
	$(Q)for f in $(FUZZERS); do echo "$$f"; $(fuzz_seeds) && \
		$$f -max_total_time=$(TIME) -print_final_stats=0 -artifact_prefix=$$f. $$f.corpus $$f.seeds || exit 1; done

fuzz-keep: $(FUZZERS)
	$(Q)for f in $(FUZZERS); do $(fuzz_seeds) && rm -rf $$f.keep && mkdir $$f.keep && $$f -merge=1 $$f.keep $$f.seeds $$f.corpus && \
		tar -C $$f.keep --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - . | \
			gzip -9n >tests/fuzz/seeds/$${f##*/}.tar.gz || exit 1; done

# ---- Source ----

C_FILES = $(shell git ls-files '*.c' '*.h' 2>/dev/null)
format:
	$(Q)clang-format -i $(C_FILES)

# Layout, both compilers, shell, and functions that nothing calls (the linker knows, if each has a section of its own).
SHELL_FILES = .ci/run $(shell git ls-files '*.sh' 2>/dev/null)
lint: $(OUT)/gen/demos.def $(OUT)/gen/wrapped.def $(if $(BPF_SRC),$(OUT)/gen/pptrace.skel.h $(OUT)/bench/ladder.skel.h) $(PROTO_H)
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)for f in $(ROOM_SRC) $(call files_in,cli,*.c) $(wildcard bench/*.c); do \
		$(CLANG) $(ALL_CFLAGS) -I$(OUT)/bench -fsyntax-only $$f || exit 1; done
	$(Q)for f in $(filter %.c,$(SHIM_SRC) $(MPI_SRC)); do $(CLANG) $(SHIM_CFLAGS) -fsyntax-only $$f || exit 1; done
	$(Q)shellcheck $(SHELL_FILES)
	$(Q)$(MAKE) --no-print-directory OUT=build/dead LDFLAGS=-Wl,--gc-sections,--print-gc-sections \
		CFLAGS="-O1 -ffunction-sections -fdata-sections" build/dead/pptrace >build/dead.log 2>&1 || { cat build/dead.log; exit 1; }
	$(Q)tools/dead.sh build/dead.log

# For editors and clangd: how each file is compiled.
compile_commands.json: Makefile
	$(say) GEN $@
	$(Q)$(MAKE) --no-print-directory -Bn V=1 CC=gcc CLANG=clang all programs $(OUT)/tests/unit/run | \
		awk -v dir="$(CURDIR)" -f tools/compile_commands.awk > $@

# What share of each folder's lines the tests run, in the tool itself: what runs in the target or the kernel is not counted.
DEPS_COVERAGE := lcov
coverage:
	$(Q)tools/deps.sh $(DEPS_BUILD) $(DEPS_TEST) $(DEPS_COVERAGE)
	$(Q)$(MAKE) --no-print-directory -j2 all programs
	$(Q)$(MAKE) --no-print-directory -j2 COVERAGE=1 all build/coverage/tests/unit/run
	$(Q)tools/coverage.sh build/coverage $(CHECK_E2E) $(TEST_E2E)

# ---- Install ----

BINDIR := $(DESTDIR)$(PREFIX)/bin
LIBDIR := $(DESTDIR)$(PREFIX)/lib/pptrace
MANDIR := $(DESTDIR)$(PREFIX)/share/man
COMPDIR := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR := $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions
FISHDIR := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
DOCDIR := $(DESTDIR)$(PREFIX)/share/doc/pptrace

install: all
	install -D -m 755 $(OUT)/pptrace $(BINDIR)/pptrace
	$(if $(SHIM_SRC),install -D -m 755 $(OUT)/libpptrace-shim.so $(LIBDIR)/libpptrace-shim.so)
	install -D -m 755 $(OUT)/libpptrace-mpi.so $(LIBDIR)/libpptrace-mpi.so
	for d in $(DEMOS); do install -D -m 755 $$d $(LIBDIR)/demos/$${d##*/}; done
	for d in $(PYTHON_DEMOS); do install -D -m 755 $$d $(LIBDIR)/demos/python/$${d##*/}; done
	install -D -m 644 $(OUT)/pptrace.1 $(MANDIR)/man1/pptrace.1
	for m in $(OUT)/man/*.1; do install -D -m 644 $$m $(MANDIR)/man1/$${m##*/}; done
	for m in doc/*.5; do [ ! -e $$m ] || install -D -m 644 $$m $(MANDIR)/man5/$${m##*/}; done
	install -D -m 644 $(OUT)/pptrace.bash $(COMPDIR)/pptrace
	install -D -m 644 $(OUT)/pptrace.zsh $(ZSHDIR)/_pptrace
	install -D -m 644 $(OUT)/pptrace.fish $(FISHDIR)/pptrace.fish
	install -D -m 644 README.md $(DOCDIR)/README.md
	install -D -m 644 LICENSE $(DOCDIR)/copyright

uninstall:
	rm -f $(BINDIR)/pptrace $(COMPDIR)/pptrace $(ZSHDIR)/_pptrace $(FISHDIR)/pptrace.fish $(MANDIR)/man1/pptrace*.1 $(MANDIR)/man5/pptrace*.5
	rm -rf $(LIBDIR) $(DOCDIR)

# A Debian package, built as the archive would: build/deb/pptrace_*.deb.
DEPS_DEB := debhelper dpkg-dev fakeroot lintian
deb:
	$(Q)tools/deps.sh $(DEPS_BUILD) $(DEPS_DEB)
	$(Q)tools/deb.sh $(VERSION)

pictures: all
	@tools/pictures.sh

help:
	@echo 'make all        build build/pptrace, the shim and the demos'
	@echo 'make EBPF=0     the same without libbpf, clang and bpftool: records with the preload library alone'
	@echo 'make CROSS=aarch64-linux-gnu- sysroot all   the same for 64-bit ARM, in build/aarch64'
	@echo 'make demo       install what is missing, build, trace fork-count, write its pictures'
	@echo 'make test       install what is missing, build, run every test'
	@echo 'make check      the fast tests: no root needed'
	@echo 'make test-kernels  what works on Debian'"'"'s kernels from 5.10 on, emulated; writes doc/platforms.md'
	@echo 'make test-fleet  the tests of push and fleet alone, with a ClickHouse server of their own'
	@echo 'make test-long  pptrace killed a thousand times, full disks, spoilt recordings and rings, each fuzzer ten minutes; languages of other Debian releases'
	@echo 'make test-distros  build and check on other Debian releases, record their programs'
	@echo 'make deb        build a Debian package in build/deb, and let lintian look at it'
	@echo 'make deps       install the packages that building and testing need (Debian; else print them)'
	@echo 'make pictures   draw the pictures of README.md again (as root; needs Chromium, node, npm)'
	@echo 'make corpus     run the corpus under pptrace and its peers; writes doc/corpus.md (as root)'
	@echo 'make bench      time each workload natively, under pptrace and under its peers, some on one processor, and what a record costs at least; writes doc/performance.md in eleven minutes on a quiet machine (WORK=name: that one alone)'
	@echo 'make bench-deps install those peers'
	@echo 'make fuzz       run each fuzz target for TIME seconds (60)'
	@echo 'make format     lay out the source with clang-format'
	@echo 'make lint       check layout, shell and dead code, and compile everything with clang too'
	@echo 'make coverage   run the tests on a build that counts, print the share of lines by folder'
	@echo 'make compile_commands.json   for editors and clangd'
	@echo 'make install    install to $$(DESTDIR)$$(PREFIX), PREFIX=/usr/local'
	@echo 'make uninstall  remove it again'
	@echo 'make clean      remove build/'
	@echo
	@echo 'V=1 shows commands; DEBUG=1 builds without optimisation;'
	@echo 'SAN=address,undefined builds with sanitizers into a folder of its own;'
	@echo 'TEST=word runs the tests that match.'

clean:
	rm -rf build

-include $(ROOM_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(BPF_OBJ:.o=.d) $(SHIM_OBJ:.o=.d) $(MPI_OBJ:.o=.d) $(UNIT_OBJ:.o=.d) $(FUZZ_OBJ:.o=.d)
