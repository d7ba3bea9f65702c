#include "fail.h"

#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program_name = "program";
static const char *before = ""; /* what is written before each message */

/* Opens /dev/null for standard streams that are closed: the first file would take their place. It
   is open for reading only, so that writing there fails as it would without. */
static void open_streams(void) {
    int descriptor = open("/dev/null", O_RDONLY);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = dup(descriptor);
    if (descriptor > STDERR_FILENO) close(descriptor);
}

void set_program_name(const char *name) {
    open_streams();
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write: it gets its line */
    const char *slash = strrchr(name, '/');
    program_name = slash ? slash + 1 : name;
}

void replace_last_line(void) { before = "\r\033[K"; }

static bool is_harmless(uint32_t code) {
    if (code < ' ' || (code >= 0x7f && code < 0xa0)) return false;
    if (code >= 0x200e && code <= 0x200f) return false; /* marks of direction */
    if (code >= 0x2028 && code <= 0x202e) return false; /* line separators, embeddings */
    return code < 0x2066 || code > 0x2069;              /* isolates */
}

void mask_controls(char *text) {
    size_t length = strlen(text), kept = 0;
    for (size_t i = 0, size; i < length; i += size) {
        uint32_t code;
        size = utf8_read((unsigned char *)text + i, length - i, &code);
        bool harmless = size > 0 && is_harmless(code);
        if (size == 0) size = 1;
        memmove(text + kept, harmless ? text + i : "?", harmless ? size : 1);
        kept += harmless ? size : 1;
    }
    text[kept] = '\0';
}

/* The whole line leaves in one write, so that the lines of two programs never mix. */
static void say(const char *format, va_list arguments) {
    char line[1 << 14];
    int start = snprintf(line, sizeof line - 1, "%s%.100s: ", before, program_name);
    vsnprintf(line + start, sizeof line - 1 - (size_t)start, format, arguments);
    mask_controls(line + strlen(before));
    size_t length = strlen(line);
    line[length] = '\n';
    fwrite(line, 1, length + 1, stderr);
}

/* The lock is never given back: of several threads that fail, the first one ends the program. */
static void say_last(const char *format, va_list arguments) {
    static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&ending);
    say(format, arguments);
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say_last(format, arguments);
    va_end(arguments);
    exit(1);
}

void wrong_use(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say_last(format, arguments);
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
