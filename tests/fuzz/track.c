/* track.c: takes the place of lib/fail.c in a fuzzing build, and of the calls of the system there;
   see track.h. */
#define FUZZ_OWN
#include "track.h"

#include "../../lib/fail.h"

#include <stdarg.h>
#include <string.h>

jmp_buf fuzz_refused;
char fuzz_said[4096];

static const uint8_t *input;
static size_t input_size, input_at, read_part, memory_left;

/* All blocks since fuzz_begin. */
static void **blocks;
static size_t block_count, block_capacity;

static void *remember(void *block) {
    if (block_count == block_capacity) {
        block_capacity = 2 * block_capacity + 1024;
        blocks = realloc(blocks, block_capacity * sizeof *blocks);
    }
    return blocks[block_count++] = block;
}

static bool forget(void *block) {
    for (size_t i = block_count; i-- > 0;)
        if (blocks[i] == block) {
            blocks[i] = blocks[--block_count];
            return true;
        }
    return false;
}

void fuzz_free(void *block) {
    forget(block);
    free(block);
}

void fuzz_begin(const uint8_t *bytes, size_t size, size_t part, size_t most) {
    input = bytes;
    input_size = size;
    input_at = 0;
    read_part = part;
    memory_left = most;
    block_count = 0;
}

void fuzz_end(void) {
    while (block_count > 0) free(blocks[--block_count]);
}

static void take_memory(size_t count, size_t size) {
    if (size && count > memory_left / size) {
        fprintf(stderr, "more memory asked for than the input warrants: %zu x %zu bytes\n", count,
                size);
        abort();
    }
    memory_left -= count * size;
}

void *fuzz_aligned_alloc(size_t alignment, size_t bytes) {
    take_memory(1, bytes);
    return remember(aligned_alloc(alignment, bytes));
}

void *fuzz_realloc(void *block, size_t bytes) {
    take_memory(1, bytes);
    forget(block);
    return remember(realloc(block, bytes));
}

void set_program_name(const char *name) { (void)name; }

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fuzz_said, sizeof fuzz_said, format, arguments);
    va_end(arguments);
    if (!strncmp(fuzz_said, "out of memory", 13)) abort(); /* sizes are checked before */
    longjmp(fuzz_refused, 1);
}

void wrong_use(const char *format, ...) {
    (void)format; /* what it says is not kept */
    longjmp(fuzz_refused, 1);
}

void notice(const char *format, ...) { (void)format; }

void flush_output(void) {}

void mask_controls(char *text) { (void)text; }

void replace_last_line(void) {}

FILE *fuzz_fopen(const char *path, const char *mode) {
    (void)path, (void)mode;
    return fmemopen((void *)input, input_size, "r");
}

int fuzz_open(const char *path, int flags) {
    (void)path, (void)flags;
    return 1000;
}

int fuzz_close(int descriptor) {
    (void)descriptor;
    return 0;
}

int fuzz_fstat(int descriptor, struct stat *about) {
    (void)descriptor;
    *about = (struct stat){.st_mode = S_IFREG, .st_size = (off_t)input_size};
    return 0;
}

int fuzz_stat(const char *path, struct stat *about) {
    (void)path;
    return fuzz_fstat(0, about);
}

ssize_t fuzz_read(int descriptor, void *bytes, size_t size) {
    (void)descriptor;
    if (read_part && size > read_part) size = read_part;
    if (size > input_size - input_at) size = input_size - input_at;
    memcpy(bytes, input + input_at, size);
    input_at += size;
    return (ssize_t)size;
}

/* A block of exactly this size: AddressSanitizer sees a read beyond it. */
void *fuzz_map(size_t size) {
    void *block = malloc(size);
    memcpy(block, input, size);
    return remember(block);
}

int fuzz_access(const char *path, int mode) {
    (void)path, (void)mode;
    return 0;
}
