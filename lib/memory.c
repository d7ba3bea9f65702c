#include "memory.h"

#include "fail.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const char *memory_advice = "";

void set_memory_advice(const char *advice) { memory_advice = advice; }

static _Noreturn void no_memory(size_t count, size_t size, const char *what) {
    fail("out of memory: %s needs %.1f MB%s%s", what, (double)count * (double)size / 1e6,
         *memory_advice ? "; " : "", memory_advice);
}

void *allocate(size_t count, size_t size, const char *what) {
    const size_t line = 64, huge_page = (size_t)2 << 20;
    if (size && count > (SIZE_MAX - huge_page) / size) no_memory(count, size, what);
    size_t needed = count * size;
    size_t alignment = needed < huge_page ? line : huge_page;
    size_t bytes = (needed + alignment - 1) / alignment * alignment;
    if (bytes == 0) bytes = alignment;
    void *block = aligned_alloc(alignment, bytes);
    if (!block) no_memory(count, size, what);
#ifdef MADV_HUGEPAGE
    if (alignment == huge_page) (void)madvise(block, bytes, MADV_HUGEPAGE); /* it may fail */
#endif
    return memset(block, 0, bytes);
}

void *reallocate(void *block, size_t count, size_t size, const char *what) {
    if (size && count > SIZE_MAX / size) no_memory(count, size, what);
    size_t bytes = count * size;
    void *moved = realloc(block, bytes > 0 ? bytes : 1);
    if (!moved) no_memory(count, size, what);
    return moved;
}

void *grow(void *array, size_t *capacity, size_t needed, size_t size, const char *what) {
    if (needed <= *capacity) return array;
    size_t larger = *capacity < 32 ? 32 : *capacity;
    while (larger < needed) larger = larger > SIZE_MAX / 2 ? needed : 2 * larger;
    array = reallocate(array, larger, size, what);
    *capacity = larger;
    return array;
}

/* Room for `count` more bytes and a NUL. */
static void make_room(Buffer *buffer, size_t count) {
    size_t needed = buffer->length + count + 1;
    if (needed < count) no_memory(count, 1, "a text");
    buffer->text = grow(buffer->text, &buffer->capacity, needed, 1, "a text");
}

void buffer_bytes(Buffer *buffer, const void *bytes, size_t count) {
    make_room(buffer, count);
    memcpy(buffer->text + buffer->length, bytes, count);
    buffer->length += count;
    buffer->text[buffer->length] = '\0';
}

void buffer_vadd(Buffer *buffer, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) fail("a text cannot be put together from \"%s\"", format);
    make_room(buffer, (size_t)length);
    vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, again);
    buffer->length += (size_t)length;
    va_end(again);
}

void buffer_add(Buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    buffer_vadd(buffer, format, arguments);
    va_end(arguments);
}

void buffer_free(Buffer *buffer) {
    free(buffer->text);
    *buffer = (Buffer){0};
}
