/* fail.h: how every program here says that it cannot go on, and how it asks for memory. */
#ifndef FAIL_H
#define FAIL_H

#include <stddef.h>

/* The program's name, for the front of every message; set once at the start of main. */
void set_program_name(const char *name);

/* One line on standard error, "name: what, where, what to do", then exit status 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a wrong command line: exit status 2. */
_Noreturn void wrong_use(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line on standard error that begins with the program's name; the program goes on. */
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flushes standard output at the end of a program's work. A reader that has gone (head) ends the program quietly; a full
   disk is one line and status 1. */
void flush_output(void);

/* count * size bytes, zeroed and aligned to 64 bytes; fails by name when there is no such memory.
   Large blocks ask for huge pages: each 4 KiB page would cost a fault at its first touch and, where rows are visited in
   random order, an address translation of its own. Free with free(). */
void *allocate(size_t count, size_t size, const char *what);

/* A grown copy of block (realloc); fails by name. */
void *reallocate(void *block, size_t count, size_t size, const char *what);

#endif
