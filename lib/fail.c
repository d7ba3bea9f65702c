#include "fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const char *program_name = "program";

void set_program_name(const char *name) {
    const char *slash = strrchr(name, '/');
    program_name = slash ? slash + 1 : name;
}

/* The whole line leaves in one write, so that lines of two programs never mix. Names and values that come from outside
   may hold line feeds or a terminal's escapes: they are shown as ?. */
static void say(const char *format, va_list arguments) {
    char line[1 << 14];
    int start = snprintf(line, sizeof line - 1, "%.100s: ", program_name);
    vsnprintf(line + start, sizeof line - 1 - (size_t)start, format, arguments);
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 127) line[i] = '?';
    line[length] = '\n';
    fwrite(line, 1, length + 1, stderr);
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    exit(1);
}

void wrong_use(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    exit(2);
}

void notice(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void flush_output(void) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return;
    if (errno == EPIPE) exit(0);
    fail("standard output cannot be written: %s", strerror(errno));
}

static _Noreturn void no_memory(size_t count, size_t size, const char *what) {
    fail("out of memory: %s needs %.1f MB; try a smaller --dim, --order, --batch or --max-rows", what,
         (double)count * (double)size / 1e6);
}

void *allocate(size_t count, size_t size, const char *what) {
    const size_t line = 64, huge_page = (size_t)2 << 20;
    if (size && count > (SIZE_MAX - huge_page) / size) no_memory(count, size, what);
    size_t alignment = count * size < huge_page ? line : huge_page;
    size_t wanted = count * size > 0 ? count * size : 1, bytes = (wanted + alignment - 1) / alignment * alignment;
    void *block = aligned_alloc(alignment, bytes);
    if (!block) no_memory(count, size, what);
#ifdef MADV_HUGEPAGE
    if (alignment == huge_page) (void)madvise(block, bytes, MADV_HUGEPAGE); /* only a wish: slower without */
#endif
    return memset(block, 0, bytes);
}

void *reallocate(void *block, size_t count, size_t size, const char *what) {
    if (size && count > SIZE_MAX / size) no_memory(count, size, what);
    size_t bytes = count * size;
    void *larger = realloc(block, bytes > 0 ? bytes : 1);
    if (!larger) no_memory(count, size, what);
    return larger;
}
