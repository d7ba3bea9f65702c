/* track.h: included by the compiler before every source of the product when it is built for
   fuzzing, so that a reader gets its input from memory and that what a refusal leaves behind is
   freed before the next input. */
#ifndef TRACK_H
#define TRACK_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void fuzz_free(void *block);
void *fuzz_aligned_alloc(size_t alignment, size_t bytes);
void *fuzz_realloc(void *block, size_t bytes);
FILE *fuzz_fopen(const char *path, const char *mode);
int fuzz_open(const char *path, int flags);
int fuzz_close(int descriptor);
int fuzz_fstat(int descriptor, struct stat *about);
int fuzz_stat(const char *path, struct stat *about);
ssize_t fuzz_read(int descriptor, void *bytes, size_t size);
void *fuzz_map(size_t size);
int fuzz_access(const char *path, int mode);

/* The input from now on; part: how many bytes a read gives at most (0: all that were asked for).
   The memory asked for until fuzz_end may be `most` bytes: more ends the program, for nothing may
   allocate more than its input warrants. */
void fuzz_begin(const uint8_t *bytes, size_t size, size_t part, size_t most);
void fuzz_end(void);

/* fail() comes back here: if (!setjmp(fuzz_refused)) { ... }; what it said is in fuzz_said. */
extern jmp_buf fuzz_refused;
extern char fuzz_said[4096];

#ifndef FUZZ_OWN
#define free(block) fuzz_free(block)
#define aligned_alloc(alignment, bytes) fuzz_aligned_alloc(alignment, bytes)
#define realloc(block, bytes) fuzz_realloc(block, bytes)
#define fopen(path, mode) fuzz_fopen(path, mode)
#define open(path, ...) fuzz_open(path, 0)
#define openat(folder, path, ...) fuzz_open(path, 0)
#define close(descriptor) fuzz_close(descriptor)
#define fstat(descriptor, about) fuzz_fstat(descriptor, about)
#define stat(path, about) fuzz_stat(path, about)
#define read fuzz_read /* members of that name, too: they are called so everywhere */
#define mmap(where, size, protection, flags, descriptor, offset) fuzz_map(size)
#define munmap(bytes, size) fuzz_free(bytes)
#define access(path, mode) fuzz_access(path, mode)
#endif

#endif
