/* memory.h: memory that is there or ends the program by name, growing arrays, growing text. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdarg.h>
#include <stddef.h>

/* What this program's user can do when memory runs out, such as "try a smaller --dim": the end of
   the message. Set once at the start of main; a program without such options says nothing. */
void set_memory_advice(const char *advice);

/* count * size bytes, zeroed and aligned to 64 bytes. Ends the program when there is no such
   memory: "out of memory: WHAT needs N MB". Blocks from 2 MB on ask the system for huge pages:
   tables whose rows are read in random order are then twice as fast. Free with free(). */
void *allocate(size_t count, size_t size, const char *what);

/* block (NULL or from here), made larger or smaller; new bytes have no value. Fails by name. */
void *reallocate(void *block, size_t count, size_t size, const char *what);

/* Room for `needed` elements in an array that has room for *capacity: returns the array, moved
   and at least doubled when it was too small. Fails by name. Starts with NULL and 0. */
void *grow(void *array, size_t *capacity, size_t needed, size_t size, const char *what);

/* The smaller of two sizes. */
static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* A text that grows. Starts as {0}; text ends in a NUL that length does not count, and is NULL
   until something is added. */
typedef struct {
    char *text;
    size_t length, capacity;
} Buffer;

/* Adds what printf would print (vprintf), or bytes of any kind (NUL too). */
void buffer_add(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vadd(Buffer *buffer, const char *format, va_list arguments);
void buffer_bytes(Buffer *buffer, const void *bytes, size_t count);

/* Frees the text; the buffer is empty and can be used again. */
void buffer_free(Buffer *buffer);

#endif
