# make             builds ./train ./sample ./embed ./wtf
# make test        builds and runs the tests (a compiler and make are enough)
# make plot        draws out/loss.png and out/map.png (needs gnuplot)
# make twin        compares with the same program in PyTorch (needs python3-torch)
# make bench       measures speed and learning
# make install     into $(DESTDIR)$(PREFIX)/bin
#
# make ARCH=       builds for any machine of this kind, not only for this one: the results are the same bits

CC      ?= cc
ARCH    ?= -march=native
CFLAGS  ?= -O3
PREFIX  ?= /usr/local
# The same bits everywhere: no fused multiply-add, no reordering of sums.
EXACT    = -std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno -pthread
WARN     = -Wall -Wextra -Wpedantic -Wno-psabi -Wno-missing-field-initializers
COMPILE  = $(CC) $(EXACT) $(WARN) $(CFLAGS) $(ARCH)
HEADERS  = $(wildcard *.h lib/*.h tests/*.h)
LIBRARY  = $(patsubst %.c,%.o,$(wildcard lib/*.c))
PROGRAMS = $(patsubst %.c,%,$(wildcard *.c))
TESTS    = $(patsubst tests/%.c,tests/build/%,$(wildcard tests/test_*.c))

all: $(PROGRAMS)

%.o: %.c $(HEADERS)
	$(COMPILE) -c -o $@ $<

$(PROGRAMS): %: %.o $(LIBRARY)
	$(CC) $(CFLAGS) -pthread $(LDFLAGS) -o $@ $^ -lm

bench/build/%: bench/%.c $(LIBRARY) $(HEADERS)
	@mkdir -p bench/build
	$(COMPILE) $(LDFLAGS) -o $@ $< $(LIBRARY) -lm

tests/build/%: tests/%.c $(LIBRARY) $(HEADERS)
	@mkdir -p tests/build
	$(COMPILE) $(LDFLAGS) -o $@ $< $(LIBRARY) -lm

test: $(PROGRAMS) $(TESTS)
	@sh tests/run.sh $(sort $(TESTS)) $(sort $(wildcard tests/test_*.sh))

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
	@./embed --model "$$OUT/model.safetensors" export --format map > /dev/null
	@yardstick() { ./embed --model "$$OUT/model.safetensors" | sed -n "s/^yardsticks .* \([0-9.]*\) $$1.*/\1/p"; }; \
	gnuplot -e "out=system('printenv OUT'); unigram=$$(yardstick frequencies); pairs=$$(yardstick pairs)" plot/loss.gnuplot
	@gnuplot -e "out=system('printenv OUT')" plot/map.gnuplot
	@echo "$$OUT/loss.png $$OUT/map.png"

bench: all
	@sh bench/run $(TEXT)

install: $(PROGRAMS)
	mkdir -p "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 $(PROGRAMS) "$(DESTDIR)$(PREFIX)/bin"

clean:
	rm -rf $(PROGRAMS) *.o lib/*.o tests/build bench/build

.PHONY: all test twin plot bench install clean
