/* shim.c: a library to be loaded before a program (LD_PRELOAD) that makes one call to the system
   fail, or ends the program there.

   FAULT_CALL   which call: open, read, write, fsync, rename, close, mmap, memory (malloc, calloc,
                realloc, aligned_alloc), thread (pthread_create), fopen, fstat, flock, mkdir, fgets,
                chmod; or file: any of open, write, fsync, rename, close
   FAULT_AT     the how manieth such call, from 1
   FAULT_KIND   the name of an error (EIO, ENOSPC, ...), "short" (a byte is read or written), "die"
                (the program ends before the call), "die-after" (it ends behind it), "torn" (half is
                written, then it ends)
   FAULT_PAGE   the number of an open file of a page or more, for what happened: see shim.h

   Built with -DFAULT_LINKED it is part of a program whose sources call fault_malloc for malloc and
   so on: AddressSanitizer has a malloc of its own, before which no library comes. */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[FAULT_CALLS] = {"open",  "read",  "write",  "fsync",  "rename",
                                               "close", "mmap",  "memory", "thread", "fopen",
                                               "fstat", "flock", "mkdir",  "fgets",  "chmod"};
enum { SHORT = 1000, DIE, DIE_AFTER, TORN };

static const struct {
    const char *name;
    int number;
} kinds[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},         {"ENOMEM", ENOMEM},
             {"EAGAIN", EAGAIN}, {"EMFILE", EMFILE}, {"EINVAL", EINVAL},       {"ENOLCK", ENOLCK},
             {"short", SHORT},   {"die", DIE},       {"die-after", DIE_AFTER}, {"torn", TORN}};

static FaultPage *page; /* NULL: nothing is counted, nothing fails */
static int chosen = -1, kind;
static bool any_file_call;
static unsigned chosen_at;

static void __attribute__((constructor)) start(void) {
    const char *call = getenv("FAULT_CALL"), *at = getenv("FAULT_AT"), *how = getenv("FAULT_KIND"),
               *where = getenv("FAULT_PAGE");
    if (!where) return;
    for (int i = 0; call && i < FAULT_CALLS; i++)
        if (!strcmp(call, names[i])) chosen = i;
    any_file_call = call && !strcmp(call, "file");
    chosen_at = at ? (unsigned)atoi(at) : 0;
    for (size_t i = 0; how && i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(how, kinds[i].name)) kind = kinds[i].number;
    long mapped = syscall(SYS_mmap, NULL, sizeof *page, (long)(PROT_READ | PROT_WRITE),
                          (long)MAP_SHARED, atol(where), 0L); /* it reads whole registers */
    if (mapped != -1) page = (FaultPage *)mapped;
}

/* Counts a call; 0, or what is to happen to it. Errors that need nothing else set errno here. */
static int fault(int call) {
    if (!page) return 0;
    unsigned number = atomic_fetch_add(&page->calls[call], 1) + 1, file_call = 0;
    const char letter = call <= FAULT_CLOSE && call != FAULT_READ ? "orwfrc"[call] : 0;
    if (letter) {
        file_call = atomic_fetch_add(&page->file_calls, 1) + 1;
        if (file_call < sizeof page->order) page->order[file_call - 1] = letter;
    }
    if (any_file_call ? file_call != chosen_at : call != chosen || number != chosen_at) return 0;
    page->hit = 1;
    if (kind == DIE || (kind == TORN && call != FAULT_WRITE)) _exit(FAULT_DIED);
    if (kind < SHORT) errno = kind;
    return kind;
}

/* The end of a call that was let through: some programs end behind it. */
static void passed(int what) {
    if (what == DIE_AFTER) _exit(FAULT_DIED);
}

#define FAILS(what) ((what) && (what) < SHORT)

/* ---- memory ---- */

#ifdef FAULT_LINKED
#define NAME(call) fault_##call
#define REAL(call) call
#else
#define NAME(call) call
#define REAL(call) __libc_##call
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
#define __libc_aligned_alloc __libc_memalign
#endif

#define MEMORY(name, parameters, arguments)                                                        \
    void *NAME(name) parameters;                                                                   \
    void *NAME(name) parameters { return FAILS(fault(FAULT_MEMORY)) ? NULL : REAL(name) arguments; }
MEMORY(malloc, (size_t size), (size))
MEMORY(calloc, (size_t count, size_t size), (count, size))
MEMORY(realloc, (void *block, size_t size), (block, size))
MEMORY(aligned_alloc, (size_t alignment, size_t size), (alignment, size))

/* ---- everything else ---- */

#ifndef FAULT_LINKED

/* The next function of this name: libc's own. */
#define NEXT(result, name, ...)                                                                    \
    static result (*next)(__VA_ARGS__);                                                            \
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name)

int openat(int folder, const char *path, int flags, ...) {
    NEXT(int, openat, int, const char *, int, ...);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    int what = fault(FAULT_OPEN);
    if (FAILS(what)) return -1;
    int result = next(folder, path, flags, mode);
    passed(what);
    return result;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return openat(AT_FDCWD, path, flags, mode);
}

ssize_t read(int descriptor, void *bytes, size_t size) {
    NEXT(ssize_t, read, int, void *, size_t);
    int what = fault(FAULT_READ);
    if (FAILS(what)) return -1;
    return next(descriptor, bytes, what == SHORT && size > 1 ? 1 : size);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    NEXT(ssize_t, write, int, const void *, size_t);
    int what = fault(FAULT_WRITE);
    if (FAILS(what)) return -1;
    ssize_t result = next(descriptor, bytes,
                          what == SHORT && size > 1 ? 1
                          : what == TORN            ? size / 2
                                                    : size);
    if (what == TORN) _exit(FAULT_DIED);
    passed(what);
    return result;
}

int fsync(int descriptor) {
    NEXT(int, fsync, int);
    int what = fault(FAULT_FSYNC);
    if (FAILS(what)) return -1;
    int result = page ? 0 : next(descriptor); /* a thousand runs need not wait for the disk */
    passed(what);
    return result;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    NEXT(int, renameat, int, const char *, int, const char *);
    int what = fault(FAULT_RENAME);
    if (FAILS(what)) return -1;
    int result = next(from_folder, from, to_folder, to);
    passed(what);
    return result;
}

/* An error of close comes when the file is closed all the same. */
int close(int descriptor) {
    NEXT(int, close, int);
    int what = fault(FAULT_CLOSE), result = next(descriptor);
    passed(what);
    if (!FAILS(what)) return result;
    errno = what;
    return -1;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*life)(void *),
                   void *argument) {
    NEXT(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int what = fault(FAULT_THREAD);
    return FAILS(what) ? what : next(thread, attributes, life, argument);
}

/* An error of reading, as libc remembers it. */
char *fgets(char *line, int size, FILE *file) {
    NEXT(char *, fgets, char *, int, FILE *);
    if (!FAILS(fault(FAULT_FGETS))) return next(line, size, file);
    file->_flags |= 0x20; /* what ferror looks at in the GNU C library */
    return NULL;
}

/* A call that fails, or is libc's. */
#define CALL(result, name, which, failed, parameters, arguments)                                   \
    result name parameters {                                                                       \
        static result(*next) parameters;                                                           \
        if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name);                                      \
        return FAILS(fault(which)) ? failed : next arguments;                                      \
    }
CALL(void *, mmap, FAULT_MMAP, MAP_FAILED,
     (void *where, size_t size, int protection, int flags, int descriptor, off_t offset),
     (where, size, protection, flags, descriptor, offset))
CALL(FILE *, fopen, FAULT_FOPEN, NULL, (const char *path, const char *mode), (path, mode))
CALL(int, fchmod, FAULT_CHMOD, -1, (int descriptor, mode_t mode), (descriptor, mode))
CALL(int, fstat, FAULT_FSTAT, -1, (int descriptor, struct stat *about), (descriptor, about))
CALL(int, flock, FAULT_FLOCK, -1, (int descriptor, int operation), (descriptor, operation))
CALL(int, mkdir, FAULT_MKDIR, -1, (const char *path, mode_t mode), (path, mode))

#endif
