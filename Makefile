# make                    builds ./train ./sample ./embed ./wtf
# make test               builds and runs the tests (a compiler and make are enough)
# make plot               draws out/loss.png and out/map.png (needs gnuplot); OUT=folder for another run
# make twin               compares with the same program in PyTorch (needs python3-torch)
# make playground         builds docs/playground.html, the trainer in a browser (needs clang, lld, wasi-libc)
# make bench              measures speed and learning
# make install            programs and manual pages, into $(DESTDIR)$(PREFIX); make uninstall removes them again
# make compile_commands.json   tells editors and clang-tidy how each file is compiled
# make clean              removes what was built
#
# V=1                     shows every command
# ARCH=                   builds for any machine of this kind, not only for this one: the results are the same bits
# CC=clang CFLAGS=-O2     another compiler, other flags: their objects are kept apart

CC      ?= cc
ARCH    ?= -march=native
CFLAGS  ?= -O3
PREFIX  ?= /usr/local
# The same bits everywhere: no fused multiply-add, no reordering of sums.
EXACT    = -std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno -fno-trapping-math -pthread
WARN     = -Wall -Wextra -Wpedantic -Wno-psabi -Wno-missing-field-initializers
COMPILE  = $(CC) $(EXACT) $(WARN) $(CFLAGS) $(ARCH)
LINK     = $(CC) $(CFLAGS) -pthread $(LDFLAGS)

# Each compiler with its flags has its own folder of objects, named by a checksum of its command.
CONFIG  := $(notdir $(firstword $(CC)))-$(firstword $(shell echo "$(COMPILE) $(LINK)" | cksum))
OBJECTS  = build/$(CONFIG)
SOURCES  = $(wildcard *.c lib/*.c)
LIBRARY  = $(patsubst %.c,$(OBJECTS)/%.o,$(wildcard lib/*.c))
PROGRAMS = $(patsubst %.c,%,$(wildcard *.c))
UNIT     = $(patsubst tests/unit/%.c,build/unit/%,$(wildcard tests/unit/*.c))
SCRIPTS  = $(filter-out tests/programs/lib.sh,$(wildcard tests/programs/*.sh))

# The third level of optimisation only where it is felt: elsewhere it makes compiling slower.
FELT     = step trainer vocabulary sampling adapt sentence
$(filter-out $(FELT:%=$(OBJECTS)/lib/%.o),$(SOURCES:%.c=$(OBJECTS)/%.o)): CFLAGS := $(CFLAGS:-O3=-O2)

SILENT   = $(findstring s,$(firstword -$(MAKEFLAGS)))
say      = $(if $(V),,@$(if $(SILENT),,echo "  $(1)";))
link     = $(call say,LD $@)mkdir -p $(@D) && $(LINK) -o $@ $(filter %.o,$^) -lm

all: $(PROGRAMS)

$(OBJECTS)/%.o: %.c
	$(call say,CC $<)mkdir -p $(@D) && $(COMPILE) -MMD -MP -c -o $@ $<

# The page of ./embed report as lines of C: what C takes for its own (\ " ?) gets a backslash.
build/report_page.h: page/page.html page/inline.awk $(wildcard page/*.js page/*.css)
	@mkdir -p $(@D)
	$(call say,PAGE $<)awk -v leave=live -f page/inline.awk $< > $(@D)/report.html
	@sed 's/[\\"?]/\\&/g; s/.*/"&\\n",/' $(@D)/report.html > $@

$(OBJECTS)/lib/page.o: build/report_page.h

# The programs stand outside the folder of their objects: build/config changes when another compiler or flag is asked for.
$(PROGRAMS): %: $(OBJECTS)/%.o $(LIBRARY) build/config
	$(link)

build/unit/%: $(OBJECTS)/tests/unit/%.o $(LIBRARY) build/config
	$(link)

# What makes each call to the system fail in turn: tests/programs/faults.sh.
build/tools/%: $(OBJECTS)/tests/programs/%.o $(LIBRARY) build/config
	$(link)

build/bench/%: $(OBJECTS)/bench/%.o $(LIBRARY) build/config
	$(link)

# ./train with shards of 4,096 positions instead of 16 million: what happens from one to the next is tried on a short text.
SHARDED  = train lib/run lib/trainer

$(OBJECTS)/sharded/%.o: %.c
	$(call say,CC $< with small shards)mkdir -p $(@D) && $(COMPILE) -DSHARD_SIZE=4096 -MMD -MP -c -o $@ $<

build/test/train_sharded: $(SHARDED:%=$(OBJECTS)/sharded/%.o) $(filter-out $(SHARDED:%=$(OBJECTS)/%.o),$(LIBRARY)) build/config
	$(link)

build/config: FORCE
	@mkdir -p build
	@echo $(CONFIG) | cmp -s - $@ || echo $(CONFIG) > $@

test: $(PROGRAMS) $(UNIT) build/tools/faults build/test/train_sharded
	@sh tests/run.sh $(sort $(UNIT)) $(sort $(SCRIPTS))

# Debian's python3-torch belongs to /usr/bin/python3, which need not be the first python3 in the PATH.
PYTHON  ?= $(firstword $(wildcard /usr/bin/python3) python3)
# What is compared: make twin TWIN="my.txt --order 3 --optimizer sgd" takes the first 1,000 batches of another run
TWIN    ?= --full data/text.txt

twin: train
	@command -v $(PYTHON) > /dev/null || { echo "make twin needs Python with PyTorch: on Debian, apt install python3-torch" >&2; exit 1; }
	@$(PYTHON) tests/twin.py $(TWIN)

# The loss log and the map of the last run in OUT, as pictures; the data are OUT/loss.csv and OUT/map.tsv. OUT goes on as
# it is, through the environment: neither make nor gnuplot takes a $ or a quotation mark in it for its own.
OUT ?= out
plot: override export OUT := $(value OUT)
plot: embed
	@command -v gnuplot > /dev/null || { echo "make plot needs gnuplot: apt-get install gnuplot-nox, or brew install gnuplot" >&2; exit 1; }
	@test -f "$$OUT/model.safetensors" || { echo "make plot: no $$OUT/model.safetensors; run ./train data/text.txt first" >&2; exit 1; }
	@[ "$$(cat "$$OUT/loss.csv" 2> /dev/null | grep -c '^[0-9]')" -ge 2 ] || { echo "make plot: no curve to draw: $$OUT/loss.csv is missing or has less than two rows" >&2; exit 1; }
	@./embed --model "$$OUT/model.safetensors" export --format map > /dev/null
	@known() { head -c 100000 "$$OUT/model.safetensors" | tr -c '[:print:]' '\n' | sed -n "s/.*\"$$1\":\"\([0-9.]*\)\".*/\1/p"; }; \
	gnuplot -e "out=system('printenv OUT'); unigram=$$(known unigram_entropy); pairs=$$(known conditional_entropy)" plot/loss.gnuplot
	@gnuplot -e "out=system('printenv OUT')" plot/map.gnuplot
	@echo "$$OUT/loss.png $$OUT/map.png"

playground:
	$(call say,PAGE docs/playground.html)page/build docs/playground.html

bench: all
	@sh bench/run $(TEXT)

compile_commands.json: FORCE
	@{ echo '['; comma=; for file in $(SOURCES) $(wildcard tests/unit/*.c bench/*.c); do \
	    printf '%s{"directory": "%s", "file": "%s", "command": "%s -c %s"}' "$$comma" "$(CURDIR)" $$file "$(COMPILE)" $$file; \
	    comma=$$(printf ',\n.'); comma=$${comma%.}; \
	done; printf '\n]\n'; } > $@

build/man/%.1: % docs/man.awk
	@mkdir -p $(@D)
	@./$< --help | awk -f docs/man.awk > $@

BIN      = $(DESTDIR)$(PREFIX)/bin
MAN      = $(DESTDIR)$(PREFIX)/share/man/man1
install: $(PROGRAMS) $(PROGRAMS:%=build/man/%.1)
	mkdir -p "$(BIN)" "$(MAN)"
	install -m 755 $(PROGRAMS) "$(BIN)"
	install -m 644 $(PROGRAMS:%=build/man/%.1) "$(MAN)"

uninstall:
	cd "$(BIN)" && rm -f $(PROGRAMS)
	cd "$(MAN)" && rm -f $(PROGRAMS:%=%.1)

clean:
	rm -rf build compile_commands.json $(PROGRAMS)

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

-include $(wildcard $(OBJECTS)/*.d $(OBJECTS)/*/*.d $(OBJECTS)/*/*/*.d)

.SECONDARY:
.PHONY: all test twin plot playground bench install uninstall clean help FORCE
