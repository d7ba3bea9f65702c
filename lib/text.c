#include "text.h"

#include "characters.h"
#include "fail.h"
#include "format.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What common UTF-8 sequences look like in ASCII; the bytes are the sequence. */
static const struct { const char *bytes, *ascii; } look_alikes[] = {
    {"\xe2\x80\x98", "'"},  {"\xe2\x80\x99", "'"},   {"\xe2\x80\x9a", "'"}, {"\xe2\x80\x9b", "'"}, /* single quotes */
    {"\xe2\x80\x9c", "\""}, {"\xe2\x80\x9d", "\""},  {"\xe2\x80\x9e", "\""}, {"\xe2\x80\x9f", "\""}, /* double quotes */
    {"\xe2\x80\x90", "-"},  {"\xe2\x80\x91", "-"},   {"\xe2\x80\x92", "-"}, {"\xe2\x80\x93", "-"}, /* hyphens, en dash */
    {"\xe2\x80\x94", "--"}, {"\xe2\x80\x95", "--"},  {"\xe2\x80\xa6", "..."},                       /* em dash, ellipsis */
    {"\xc2\xa0", " "},      {"\xe2\x80\xaf", " "},   {"\xe2\x80\x87", " "},                         /* no-break spaces */
};

/* The length of the look-alike at bytes, 0 when there is none; *ascii is what it becomes. */
static size_t look_alike(const unsigned char *bytes, size_t length, const char **ascii) {
    for (size_t i = 0; i < sizeof look_alikes / sizeof *look_alikes; i++) {
        size_t size = strlen(look_alikes[i].bytes);
        if (size > length || memcmp(bytes, look_alikes[i].bytes, size)) continue;
        *ascii = look_alikes[i].ascii;
        return size;
    }
    return 0;
}

/* Appends the ids of bytes [length] to the text and returns how many bytes were used: up to two
   at the end wait for what follows, unless these are the last. ids has room for length more. */
static size_t text_append(Text *text, const unsigned char *bytes, size_t length, bool last) {
    size_t i = 0;
    while (i < length && (last || length - i > 2 || (bytes[i] < 0x80 && bytes[i] != '\r'))) {
        const char *ascii = NULL;
        size_t size = 1;
        if (bytes[i] >= 0x80 && (size = look_alike(bytes + i, length - i, &ascii)) > 0) {
            for (; *ascii; ascii++) text->ids[text->length++] = (uint8_t)id_of((unsigned char)*ascii);
            text->look_alikes++;
            i += size;
            continue;
        }
        int id = id_of(bytes[i]);
        if (bytes[i] == '\r' && i + 1 < length && bytes[i + 1] == '\n') {
            text->line_ends++; /* the LF that follows stands for both */
        } else if (id >= 0) {
            text->ids[text->length++] = (uint8_t)id;
        } else {
            if (!text->left_out++) {
                text->first_offset = text->bytes + i;
                text->first_byte = bytes[i];
            }
            text->counts[bytes[i]]++;
        }
        i++;
    }
    text->bytes += i;
    return i;
}

static _Noreturn void cannot_read(const char *path) {
    switch (errno) {
    case ENOENT: fail("%s: no such file; name a text file, or - for standard input", path);
    case EISDIR: fail("%s: is a directory; name a text file inside it", path);
    case EACCES: fail("%s: not readable; check its permissions", path);
    default: fail("%s: cannot be read: %s", path, strerror(errno));
    }
}

Text text_read(const char *path, bool strict) {
    enum { CHUNK = 1 << 20, ENOUGH = 64 << 20 }; /* of so many bytes most are no text: nobody needs the rest, which may never end */
    bool standard_input = strcmp(path, "-") == 0;
    int file = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) cannot_read(path);
    struct stat about;
    if (fstat(file, &about)) cannot_read(path);
    Text text = {0};
    unsigned char *chunk = reallocate(NULL, CHUNK, 1, "reading the text");
    size_t capacity = 0, waiting = 0;
    for (bool last = false; !last;) {
        ssize_t got = read(file, chunk + waiting, CHUNK - waiting);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            int why = errno;
            free(chunk);
            free(text.ids);
            if (!standard_input) close(file);
            errno = why;
            cannot_read(path);
        }
        last = got == 0 || (text.bytes >= ENOUGH && text.left_out > text.bytes / 2);
        size_t length = waiting + (size_t)got;
        if (text.length + length + 1 > capacity) {
            size_t expected = about.st_size < 0 ? 0 : about.st_size < ENOUGH ? (size_t)about.st_size : ENOUGH; /* a larger file may have holes */
            capacity = text.bytes == 0 && expected ? expected + CHUNK : 2 * (text.length + CHUNK);
            text.ids = reallocate(text.ids, capacity, 1, "the text");
        }
        size_t used = text_append(&text, chunk, length, last);
        waiting = length - used;
        memmove(chunk, chunk + used, waiting);
    }
    free(chunk);
    if (!standard_input) close(file);
    text.ids = reallocate(text.ids, text.length, 1, "the text");
    if (text.bytes == 0) fail("%s: is empty; there is nothing to learn from", path);
    char a[32], b[32];
    if (text.left_out * 10 > text.bytes)
        fail("%s: is not text: %s of its first %s bytes are not printable ASCII; give a plain text file", path, grouped(text.left_out, a),
             grouped(text.bytes, b));
    if (strict && text.left_out)
        fail("%s: byte 0x%02x at offset %zu is not printable ASCII and --strict is given; remove it, or leave "
             "--strict out to skip such bytes", path, text.first_byte, text.first_offset);
    return text;
}

void text_notice(const Text *text, const char *path) {
    if (!text->left_out && !text->look_alikes && !text->line_ends) return;
    char line[1024], *end = line + sizeof line, *at = line, number[32];
    const char *comma = "";
    if (text->line_ends) {
        at += snprintf(at, (size_t)(end - at), "%s CR LF became LF", grouped(text->line_ends, number));
        comma = "; ";
    }
    if (text->look_alikes) {
        at += snprintf(at, (size_t)(end - at), "%s%s UTF-8 quotes, dashes, ellipses or spaces became ASCII", comma,
                       grouped(text->look_alikes, number));
        comma = "; ";
    }
    if (text->left_out) {
        at += snprintf(at, (size_t)(end - at), "%s%s bytes that are not printable ASCII were left out, the first at "
                       "offset %zu:", comma, grouped(text->left_out, number), text->first_offset);
        int named = 0;
        for (int byte = 0; byte < 256; byte++) {
            if (!text->counts[byte]) continue;
            if (named++ == 8) {
                snprintf(at, (size_t)(end - at), " ...");
                break;
            }
            at += snprintf(at, (size_t)(end - at), " 0x%02x x %s", (unsigned)byte, grouped(text->counts[byte], number));
        }
    }
    notice("%s: %s", path, line);
}

uint64_t text_fingerprint(const uint8_t *ids, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ ids[i]) * 0x100000001b3u;
    return hash;
}

char *text_argument(const char *what, const char *argument) {
    size_t length = strlen(argument);
    char *text = allocate(length + 1, 1, what);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)argument[i];
        if (id_of(byte) < 0)
            fail("%s's byte %zu (0x%02x) is not one of the 100 printable characters; leave it out or use a look-alike",
                 what, i + 1, (unsigned)byte);
        text[i] = argument[i];
    }
    return text;
}
