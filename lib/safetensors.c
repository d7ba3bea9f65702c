#include "safetensors.h"

#include "fail.h"
#include "memory.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the header's JSON ------------------------------------------------------------------------ */

/* Reads on from `at`; after the first error `reason` says what was wrong and nothing more is read. */
typedef struct {
    const char *at, *end;
    const char *reason;
} Reader;

static bool broken(Reader *reader, const char *reason) {
    if (!reader->reason) reader->reason = reason;
    return false;
}

static void skip_space(Reader *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at) reader->at++;
}

/* Takes this character if it comes next. */
static bool accept(Reader *reader, char character) {
    skip_space(reader);
    if (reader->reason || reader->at == reader->end || *reader->at != character) return false;
    reader->at++;
    return true;
}

static bool expect(Reader *reader, char character) {
    return accept(reader, character) || broken(reader, "its header is not the JSON of a safetensors file");
}

static bool read_hex4(Reader *reader, unsigned *value) {
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (reader->at == reader->end) return false;
        char c = *reader->at++;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return false;
        *value = *value * 16 + (unsigned)digit;
    }
    return true;
}

static size_t put_utf8(char *out, unsigned code) {
    if (code < 0x80) return out[0] = (char)code, 1;
    if (code < 0x800) return out[0] = (char)(0xc0 | code >> 6), out[1] = (char)(0x80 | (code & 63)), 2;
    if (code < 0x10000)
        return out[0] = (char)(0xe0 | code >> 12), out[1] = (char)(0x80 | (code >> 6 & 63)), out[2] = (char)(0x80 | (code & 63)), 3;
    return out[0] = (char)(0xf0 | code >> 18), out[1] = (char)(0x80 | (code >> 12 & 63)), out[2] = (char)(0x80 | (code >> 6 & 63)),
           out[3] = (char)(0x80 | (code & 63)), 4;
}

/* One escape after its backslash; returns how many bytes it puts at out (at most 4), 0 when it is none. */
static size_t read_escape(Reader *reader, char *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end) return 0;
    char c = *reader->at++;
    const char *found = c ? strchr(from, c) : NULL;
    if (found) return out[0] = to[found - from], 1;
    unsigned code, low;
    if (c != 'u' || !read_hex4(reader, &code) || code == 0 || (code >= 0xdc00 && code < 0xe000)) return 0;
    if (code < 0xd800 || code >= 0xe000) return put_utf8(out, code);
    if (reader->end - reader->at < 6 || *reader->at++ != '\\' || *reader->at++ != 'u') return 0;
    if (!read_hex4(reader, &low) || low < 0xdc00 || low >= 0xe000) return 0;
    return put_utf8(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
}

/* A string, unescaped, for the caller to free; NULL after an error. */
static char *read_string(Reader *reader) {
    if (!expect(reader, '"')) return NULL;
    const char *close = reader->at;
    while (close < reader->end && *close != '"') close += *close == '\\' ? 2 : 1;
    if (close >= reader->end) return broken(reader, "its header ends within a string"), NULL;
    char *string = reallocate(NULL, (size_t)(close - reader->at) + 1, 1, "a file's header");
    size_t length = 0;
    while (*reader->at != '"') {
        unsigned char c = (unsigned char)*reader->at++;
        size_t size = 1;
        if (c == '\\') size = read_escape(reader, string + length);
        else if (c < 0x20) size = 0;
        else string[length] = (char)c;
        if (size == 0) {
            free(string);
            return broken(reader, "its header has a string that is not JSON"), NULL;
        }
        length += size;
    }
    reader->at++;
    string[length] = '\0';
    return string;
}

/* A whole number without sign. */
static size_t read_number(Reader *reader) {
    skip_space(reader);
    size_t value = 0;
    const char *start = reader->at;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        size_t digit = (size_t)(*reader->at - '0');
        if (value > (SIZE_MAX - digit) / 10) return broken(reader, "a number in its header is too large"), 0;
        value = value * 10 + digit;
    }
    if (reader->at == start || (*start == '0' && reader->at - start > 1))
        broken(reader, "its header has no whole number where one belongs");
    return value;
}

/* [a, b, ...]: at most `most` numbers; returns how many. */
static size_t read_numbers(Reader *reader, size_t *numbers, size_t most) {
    size_t count = 0;
    if (!expect(reader, '[') || accept(reader, ']')) return 0;
    do {
        if (count == most) return broken(reader, "a tensor has more dimensions or offsets than this program reads"), 0;
        numbers[count++] = read_number(reader);
    } while (accept(reader, ','));
    expect(reader, ']');
    return count;
}

static size_t dtype_size(const char *dtype) {
    static const struct { const char *name; size_t size; } sizes[] = {
        {"BOOL", 1}, {"U8", 1}, {"I8", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
        {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4}, {"I64", 8}, {"U64", 8}, {"F64", 8}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(dtype, sizes[i].name)) return sizes[i].size;
    return 0;
}

/* {"dtype": ..., "shape": ..., "data_offsets": ...} in any order, each once. */
static void read_tensor(Reader *reader, Tensor *tensor) {
    bool dtype = false, shape = false, offsets = false;
    if (!expect(reader, '{')) return;
    do {
        char *key = read_string(reader);
        if (!key || !expect(reader, ':')) {
            free(key);
            return;
        }
        if (!strcmp(key, "dtype") && !dtype) {
            char *value = read_string(reader);
            dtype = value && dtype_size(value) > 0;
            if (dtype) strcpy(tensor->dtype, value);
            else broken(reader, "a tensor has a dtype that is not known");
            free(value);
        } else if (!strcmp(key, "shape") && !shape) {
            tensor->rank = read_numbers(reader, tensor->shape, MAX_RANK);
            shape = true;
        } else if (!strcmp(key, "data_offsets") && !offsets) {
            size_t numbers[2] = {0};
            if (read_numbers(reader, numbers, 2) != 2) broken(reader, "a tensor's data_offsets are not two numbers");
            tensor->begin = numbers[0];
            tensor->end = numbers[1];
            offsets = true;
        } else {
            broken(reader, "a tensor has a field that is unknown or there twice");
        }
        free(key);
    } while (!reader->reason && accept(reader, ','));
    if (expect(reader, '}') && !(dtype && shape && offsets)) broken(reader, "a tensor lacks its dtype, shape or data_offsets");
}

static void read_metadata(Reader *reader, TensorFile *file) {
    if (!expect(reader, '{') || accept(reader, '}')) return;
    size_t capacity = 0;
    do {
        if (file->metadata_count == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            file->metadata = reallocate(file->metadata, capacity, sizeof *file->metadata, "a file's header");
        }
        Pair *pair = &file->metadata[file->metadata_count];
        *pair = (Pair){read_string(reader), NULL};
        file->metadata_count++;
        if (pair->key && expect(reader, ':')) pair->value = read_string(reader);
    } while (!reader->reason && accept(reader, ','));
    expect(reader, '}');
}

static void read_header(Reader *reader, TensorFile *file) {
    if (reader->at == reader->end || *reader->at != '{') {
        broken(reader, "its header does not begin with {");
        return;
    }
    reader->at++;
    size_t capacity = 0;
    bool metadata = false;
    if (!accept(reader, '}')) {
        do {
            char *name = read_string(reader);
            if (!name || !expect(reader, ':')) {
                free(name);
                return;
            }
            if (!strcmp(name, "__metadata__")) {
                free(name);
                if (metadata) broken(reader, "its header has __metadata__ twice");
                metadata = true;
                read_metadata(reader, file);
                continue;
            }
            if (file->tensor_count == capacity) {
                capacity = capacity ? 2 * capacity : 16;
                file->tensors = reallocate(file->tensors, capacity, sizeof *file->tensors, "a file's header");
            }
            Tensor *tensor = &file->tensors[file->tensor_count++];
            *tensor = (Tensor){.name = name};
            read_tensor(reader, tensor);
        } while (!reader->reason && accept(reader, ','));
        expect(reader, '}');
    }
    skip_space(reader);
    if (reader->at != reader->end) broken(reader, "something follows its header's JSON");
}

/* ---- the rules -------------------------------------------------------------------------------- */

static bool valid_utf8(const uint8_t *bytes, size_t length) {
    uint32_t code;
    for (size_t i = 0, size; i < length; i += size) {
        size = utf8_read(bytes + i, length - i, &code);
        if (size == 0) return false;
    }
    return true;
}

static int by_place(const void *a, const void *b) {
    const Tensor *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static int by_name(const void *a, const void *b) { return strcmp((*(const Tensor *const *)a)->name, (*(const Tensor *const *)b)->name); }

static int by_key(const void *a, const void *b) { return strcmp((*(const Pair *const *)a)->key, (*(const Pair *const *)b)->key); }

static const char *repeated_name(const TensorFile *file) {
    bool repeated = false;
    const Tensor **order = reallocate(NULL, file->tensor_count, sizeof *order, "a file's header");
    for (size_t i = 0; i < file->tensor_count; i++) order[i] = &file->tensors[i];
    qsort(order, file->tensor_count, sizeof *order, by_name);
    for (size_t i = 1; i < file->tensor_count; i++) repeated |= by_name(&order[i - 1], &order[i]) == 0;
    free(order);
    if (repeated) return "two tensors have one name";
    const Pair **keys = reallocate(NULL, file->metadata_count, sizeof *keys, "a file's header");
    for (size_t i = 0; i < file->metadata_count; i++) keys[i] = &file->metadata[i];
    qsort(keys, file->metadata_count, sizeof *keys, by_key);
    for (size_t i = 1; i < file->metadata_count; i++) repeated |= by_key(&keys[i - 1], &keys[i]) == 0;
    free(keys);
    return repeated ? "a key stands twice in its __metadata__" : NULL;
}

/* Sizes agree with shapes, and the tensors cover the data exactly. Tensors are in the order of their data. */
static const char *broken_rule(const TensorFile *file, size_t data_size) {
    size_t covered = 0;
    for (size_t i = 0; i < file->tensor_count; i++) {
        const Tensor *tensor = &file->tensors[i];
        size_t size = dtype_size(tensor->dtype);
        for (size_t d = 0; d < tensor->rank; d++) {
            if (tensor->shape[d] && size > SIZE_MAX / tensor->shape[d]) return "a tensor's shape is too large";
            size *= tensor->shape[d];
        }
        if (tensor->end < tensor->begin || tensor->end - tensor->begin != size) return "a tensor's size is not what its shape says";
        if (tensor->begin < covered) return "two tensors overlap";
        if (tensor->begin > covered) return "there is a hole between tensors";
        covered = tensor->end;
    }
    if (covered > data_size) return "it is cut short: its data end before its tensors do";
    if (covered < data_size) return "something follows its last tensor";
    return repeated_name(file);
}

static void tensors_free(TensorFile *file) {
    for (size_t i = 0; i < file->tensor_count; i++) free(file->tensors[i].name);
    for (size_t i = 0; i < file->metadata_count; i++) {
        free(file->metadata[i].key);
        free(file->metadata[i].value);
    }
    free(file->tensors);
    free(file->metadata);
    *file = (TensorFile){0};
}

/* tensors_parse without the tensors' data: of the size bytes only the header is read. */
static bool parse_header(TensorFile *file, const uint8_t *bytes, size_t size, const char **reason) {
    *file = (TensorFile){0};
    uint64_t length = 0;
    *reason = "it is shorter than a safetensors header";
    if (size < 8) return false;
    for (int i = 0; i < 8; i++) length |= (uint64_t)bytes[i] << (8 * i);
    *reason = "its first 8 bytes give a header of more than 100 MB: it is no safetensors file";
    if (length > MAX_HEADER) return false;
    *reason = "its header is cut short";
    if (length > size - 8) return false;
    *reason = "its header is not UTF-8";
    if (!valid_utf8(bytes + 8, (size_t)length)) return false;
    Reader reader = {(const char *)bytes + 8, (const char *)bytes + 8 + length, NULL};
    read_header(&reader, file);
    if (!reader.reason) {
        if (file->tensor_count) qsort(file->tensors, file->tensor_count, sizeof *file->tensors, by_place);
        reader.reason = broken_rule(file, size - 8 - (size_t)length);
    }
    *reason = reader.reason;
    if (reader.reason) tensors_free(file);
    return !reader.reason;
}

bool tensors_parse(TensorFile *file, const uint8_t *bytes, size_t size, const char **reason) {
    if (!parse_header(file, bytes, size, reason)) return false;
    size_t data_size = file->tensor_count ? file->tensors[file->tensor_count - 1].end : 0;
    for (size_t i = 0; i < file->tensor_count; i++)
        file->tensors[i].data = bytes + (size - data_size) + file->tensors[i].begin;
    return true;
}

const Tensor *tensor_find(const TensorFile *file, const char *name, const char *dtype, size_t rank) {
    for (size_t i = 0; i < file->tensor_count; i++) {
        const Tensor *tensor = &file->tensors[i];
        if (!strcmp(tensor->name, name)) return !strcmp(tensor->dtype, dtype) && tensor->rank == rank ? tensor : NULL;
    }
    return NULL;
}

const char *metadata_find(const TensorFile *file, const char *key) {
    for (size_t i = 0; i < file->metadata_count; i++)
        if (!strcmp(file->metadata[i].key, key)) return file->metadata[i].value;
    return NULL;
}

/* ---- mapping a file --------------------------------------------------------------------------- */

static const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

static void swap_words(void *words, size_t bytes, size_t size) {
    uint8_t *at = words;
    for (size_t i = 0; i + size <= bytes; i += size)
        for (size_t j = 0; j < size / 2; j++) {
            uint8_t kept = at[i + j];
            at[i + j] = at[i + size - 1 - j];
            at[i + size - 1 - j] = kept;
        }
}

/* Reading a mapped page that is no longer in the file raises SIGBUS. */
static void file_shrank(int signal_number) {
    (void)signal_number;
    static const char line[] = "a model file was cut short by another program while this one read it; start again\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(1);
}

TensorFile tensors_open(const char *path, const char *what) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not wait for a writer */
    if (descriptor < 0 && errno == ENOENT) fail("%s: no such file; train %s first (./train TEXT), or name another one", path, what);
    if (descriptor < 0) fail("%s: cannot be opened: %s; name %s that ./train wrote", path, strerror(errno), what);
    struct stat about;
    const char *reason = NULL;
    if (fstat(descriptor, &about)) reason = strerror(errno);
    else if (!S_ISREG(about.st_mode)) reason = "it is no regular file";
    else if (about.st_size < 8) reason = "it is shorter than a safetensors header";
    else if ((uintmax_t)about.st_size > SIZE_MAX) reason = "it is too large for this machine";
    void *bytes = MAP_FAILED;
    if (!reason) {
        bytes = mmap(NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
        if (bytes == MAP_FAILED) reason = strerror(errno);
    }
    close(descriptor);
    TensorFile file;
    struct sigaction action = {.sa_handler = file_shrank};
    sigaction(SIGBUS, &action, NULL);
    if (reason || !tensors_parse(&file, bytes, (size_t)about.st_size, &reason)) {
        if (bytes != MAP_FAILED) munmap(bytes, (size_t)about.st_size);
        fail("%s: is not %s: %s; name one that ./train wrote", path, what, reason);
    }
    file.bytes = bytes;
    file.size = (size_t)about.st_size;
    for (size_t i = 0; big_endian && i < file.tensor_count; i++)
        swap_words((void *)file.tensors[i].data, file.tensors[i].end - file.tensors[i].begin, dtype_size(file.tensors[i].dtype));
    return file;
}

void tensors_close(TensorFile *file) {
    void *bytes = file->bytes;
    size_t size = file->size;
    tensors_free(file);
    if (bytes) munmap(bytes, size);
}

/* ---- writing ---------------------------------------------------------------------------------- */

typedef struct {
    char path[PATH_MAX], temporary[PATH_MAX];
    int descriptor;
} Writing;

static _Noreturn void cannot_write(Writing *writing, const char *doing) {
    int why = errno;
    if (writing->descriptor >= 0) close(writing->descriptor);
    unlink(writing->temporary);
    fail("%s: cannot be written (%s: %s); what was saved before is untouched%s", writing->path, doing, strerror(why),
         why == ENOSPC ? "; free some disk space, or name another folder with --out" : "");
}

/* The temporary name beside a path: temporary [PATH_MAX]. */
static void temporary_name(const char *path, char *temporary) {
    if (snprintf(temporary, PATH_MAX, "%s.partial", path) >= PATH_MAX) fail("%s: this name is too long", path);
}

void leftover_remove(const char *path) {
    char temporary[PATH_MAX];
    temporary_name(path, temporary);
    unlink(temporary);
}

static void write_start(Writing *writing, const char *path) {
    temporary_name(path, writing->temporary);
    snprintf(writing->path, sizeof writing->path, "%s", path);
    writing->descriptor = open(writing->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writing->descriptor < 0) cannot_write(writing, "open");
}

static void write_bytes(Writing *writing, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(writing->descriptor, at, length < (size_t)1 << 30 ? length : (size_t)1 << 30);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) cannot_write(writing, "write");
        at += written;
        length -= (size_t)written;
    }
}

static void sync_file(Writing *writing, int descriptor, const char *doing) {
    while (fsync(descriptor)) {
        if (errno == EINVAL || errno == ENOTSUP) return; /* this file system has nothing to sync */
        if (errno != EINTR) cannot_write(writing, doing);
    }
}

/* The file has its new content once the folder says so. */
static void write_finish(Writing *writing) {
    sync_file(writing, writing->descriptor, "fsync");
    int closed = close(writing->descriptor);
    writing->descriptor = -1;
    if (closed && errno != EINTR) cannot_write(writing, "close");
    if (rename(writing->temporary, writing->path)) cannot_write(writing, "rename");
    char *slash = strrchr(writing->path, '/');
    char folder[PATH_MAX] = ".";
    if (slash) snprintf(folder, sizeof folder, "%.*s", slash == writing->path ? 1 : (int)(slash - writing->path), writing->path);
    writing->descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (writing->descriptor < 0) return; /* a folder that may be written but not read cannot be synced */
    sync_file(writing, writing->descriptor, "fsync of the folder");
    close(writing->descriptor);
}

void text_write(const char *path, const char *text, size_t length) {
    Writing writing;
    write_start(&writing, path);
    write_bytes(&writing, text, length);
    write_finish(&writing);
}

/* A growing text: the length in 8 bytes, then JSON. */
typedef struct {
    char *text;
    size_t length, capacity;
} Header;

static void header_add(Header *header, const char *text) {
    size_t length = strlen(text);
    if (header->length + length + 16 > header->capacity) {
        header->capacity = 2 * (header->length + length) + 256;
        header->text = reallocate(header->text, header->capacity, 1, "a file's header");
    }
    memcpy(header->text + header->length, text, length + 1);
    header->length += length;
}

static void header_add_string(Header *header, const char *text) {
    header_add(header, "\"");
    for (; *text; text++) {
        char one[8] = {*text};
        if (*text == '"' || *text == '\\') snprintf(one, sizeof one, "\\%c", *text);
        else if ((unsigned char)*text < 0x20) snprintf(one, sizeof one, "\\u%04x", (unsigned)*text);
        header_add(header, one);
    }
    header_add(header, "\"");
}

static size_t tensor_size(const Tensor *tensor) {
    size_t size = dtype_size(tensor->dtype);
    for (size_t d = 0; d < tensor->rank; d++) size *= tensor->shape[d];
    return size;
}

static Header make_header(const Tensor *tensors, size_t tensor_count, const Pair *metadata, size_t metadata_count) {
    Header header = {0};
    char number[64];
    header_add(&header, "01234567"); /* room for the length */
    header_add(&header, "{\"__metadata__\":{");
    for (size_t i = 0; i < metadata_count; i++) {
        if (i) header_add(&header, ",");
        header_add_string(&header, metadata[i].key);
        header_add(&header, ":");
        header_add_string(&header, metadata[i].value);
    }
    header_add(&header, "}");
    for (size_t i = 0, at = 0; i < tensor_count; i++) {
        header_add(&header, ",");
        header_add_string(&header, tensors[i].name);
        header_add(&header, ":{\"dtype\":");
        header_add_string(&header, tensors[i].dtype);
        header_add(&header, ",\"shape\":[");
        for (size_t d = 0; d < tensors[i].rank; d++) {
            snprintf(number, sizeof number, d ? ",%zu" : "%zu", tensors[i].shape[d]);
            header_add(&header, number);
        }
        snprintf(number, sizeof number, "],\"data_offsets\":[%zu,%zu]}", at, at + tensor_size(&tensors[i]));
        header_add(&header, number);
        at += tensor_size(&tensors[i]);
    }
    header_add(&header, "}");
    while (header.length % 8) header_add(&header, " ");
    for (int i = 0; i < 8; i++) header.text[i] = (char)((uint64_t)(header.length - 8) >> (8 * i));
    return header;
}

/* Fails with one line unless tensors_parse reads from this header what it was made of. */
static void require_readable(const char *path, const Header *header, const Tensor *tensors,
                             size_t tensor_count, const Pair *metadata, size_t metadata_count) {
    TensorFile read;
    const char *reason;
    size_t size = header->length;
    for (size_t i = 0; i < tensor_count; i++) size += tensor_size(&tensors[i]);
    if (!parse_header(&read, (const uint8_t *)header->text, size, &reason))
        fail("%s: cannot be written: no program could read it: %s; what was saved before is "
             "untouched",
             path, reason);
    bool same = read.tensor_count == tensor_count && read.metadata_count == metadata_count;
    for (size_t i = 0; same && i < metadata_count; i++)
        same = !strcmp(read.metadata[i].key, metadata[i].key) &&
               !strcmp(read.metadata[i].value, metadata[i].value);
    for (size_t i = 0; same && i < tensor_count; i++) {
        const Tensor *tensor =
            tensor_find(&read, tensors[i].name, tensors[i].dtype, tensors[i].rank);
        same = tensor &&
               !memcmp(tensor->shape, tensors[i].shape, tensor->rank * sizeof *tensor->shape);
    }
    tensors_free(&read);
    if (!same)
        fail("%s: cannot be written: it would not be read back alike; what was saved before is "
             "untouched",
             path);
}

static void write_little_endian(Writing *writing, const void *data, size_t bytes, size_t size) {
    if (!big_endian || size == 1) {
        write_bytes(writing, data, bytes);
        return;
    }
    uint8_t part[1 << 13];
    for (size_t i = 0, length; i < bytes; i += length) {
        length = bytes - i < sizeof part ? bytes - i : sizeof part;
        memcpy(part, (const uint8_t *)data + i, length);
        swap_words(part, length, size);
        write_bytes(writing, part, length);
    }
}

void tensors_write(const char *path, const Tensor *tensors, size_t tensor_count, const Pair *metadata, size_t metadata_count) {
    Header header = make_header(tensors, tensor_count, metadata, metadata_count);
    require_readable(path, &header, tensors, tensor_count, metadata, metadata_count);
    Writing writing;
    write_start(&writing, path);
    write_bytes(&writing, header.text, header.length);
    for (size_t i = 0; i < tensor_count; i++)
        write_little_endian(&writing, tensors[i].data, tensor_size(&tensors[i]), dtype_size(tensors[i].dtype));
    write_finish(&writing);
    free(header.text);
}
