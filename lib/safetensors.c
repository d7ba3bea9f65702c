#include "safetensors.h"

#include "fail.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the header's JSON ------------------------------------------------------------------------- */

/* Reads a text that ends in a NUL. After the first error `reason` says what is wrong, and nothing
   more is accepted. */
typedef struct {
    char *at;
    const char *reason;
} Reader;

static void refuse(Reader *reader, const char *reason) {
    if (!reader->reason) reader->reason = reason;
}

/* Goes past white space, and past this character if it comes next. */
static bool accept(Reader *reader, char character) {
    reader->at += strspn(reader->at, " \t\r\n");
    if (reader->reason || *reader->at != character) return false;
    reader->at++;
    return true;
}

static bool expect(Reader *reader, char character) {
    bool found = accept(reader, character);
    if (!found) refuse(reader, "its header is not the JSON of a safetensors file");
    return found;
}

/* The four hexadecimal digits of \uXXXX; false when there are no such. */
static bool read_hex4(Reader *reader, unsigned *value) {
    static const char digits[] = "0123456789abcdefABCDEF";
    *value = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = *reader->at ? strchr(digits, *reader->at) : NULL;
        if (!digit) return false;
        unsigned number = (unsigned)(digit - digits);
        *value = *value * 16 + (number < 16 ? number : number - 6);
        reader->at++;
    }
    return true;
}

static size_t put_utf8(char *out, unsigned code) {
    static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = 1 + (size_t)(code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
    for (size_t i = size - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 63));
    out[0] = (char)(lead[size] | code);
    return size;
}

/* One escape after its backslash. Returns how many bytes it puts at out, at most 4; 0: it is none. */
static size_t read_escape(Reader *reader, char *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = *reader->at ? strchr(from, *reader->at) : NULL;
    if (found) {
        reader->at++;
        *out = to[found - from];
        return 1;
    }
    unsigned code, low;
    if (*reader->at != 'u') return 0;
    reader->at++;
    if (!read_hex4(reader, &code) || code == 0) return 0;
    if (code < 0xd800 || code >= 0xe000) return put_utf8(out, code);
    if (code >= 0xdc00 || strncmp(reader->at, "\\u", 2)) return 0;
    reader->at += 2;
    if (!read_hex4(reader, &low) || low < 0xdc00 || low >= 0xe000) return 0;
    return put_utf8(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
}

/* One character of a string. Returns how many bytes it puts at out; 0: it is not allowed there. */
static size_t read_character(Reader *reader, char *out) {
    *out = *reader->at++;
    if (*out == '\\') return read_escape(reader, out);
    return (unsigned char)*out >= ' ';
}

/* A string without its escapes, in the place of the one with them; "" after an error. */
static const char *read_string(Reader *reader) {
    if (!expect(reader, '"')) return "";
    char *string = reader->at, *end = string;
    size_t size = 1;
    while (size > 0 && *reader->at && *reader->at != '"') {
        size = read_character(reader, end);
        end += size;
    }
    if (!*reader->at) refuse(reader, "its header ends within a string");
    if (size == 0) refuse(reader, "its header has a string that is not JSON");
    if (!accept(reader, '"')) return "";
    *end = '\0';
    return string;
}

/* A whole number without sign. */
static size_t read_number(Reader *reader) {
    size_t value = 0;
    reader->at += strspn(reader->at, " \t\r\n");
    const char *start = reader->at;
    for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        size_t digit = (size_t)(*reader->at - '0');
        if (value > (SIZE_MAX - digit) / 10) refuse(reader, "a number in its header is too large");
        value = value * 10 + digit;
    }
    if (reader->at == start || (*start == '0' && reader->at - start > 1))
        refuse(reader, "its header has no whole number where one belongs");
    return value;
}

/* [a, b, ...]: at most `most` numbers; returns how many. */
static size_t read_numbers(Reader *reader, size_t *numbers, size_t most) {
    size_t count = 0;
    if (!expect(reader, '[') || accept(reader, ']')) return 0;
    do {
        if (count == most) {
            refuse(reader, "a tensor has more dimensions or offsets than this program reads");
            return 0;
        }
        numbers[count++] = read_number(reader);
    } while (accept(reader, ','));
    expect(reader, ']');
    return count;
}

/* Bytes of one number; 0: this dtype is not known. */
static size_t dtype_size(const char *dtype) {
    static const char *const names[] = {"BOOL", "U8",  "I8",  "F8_E4M3", "F8_E5M2", /* 1 byte */
                                        "I16",  "U16", "F16", "BF16",               /* 2 */
                                        "I32",  "U32", "F32",                       /* 4 */
                                        "I64",  "U64", "F64"};                      /* 8 */
    static const uint8_t sizes[] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8};
    for (size_t i = 0; i < sizeof sizes; i++)
        if (!strcmp(dtype, names[i])) return sizes[i];
    return 0;
}

enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4, ALL = 7 };

/* Reads the value of one field of a tensor; returns which it is, 0 when it is unknown. */
static int read_field(Reader *reader, const char *key, Tensor *tensor) {
    size_t numbers[2];
    if (!strcmp(key, "shape")) {
        tensor->rank = read_numbers(reader, tensor->shape, MAX_RANK);
        return SHAPE;
    }
    if (!strcmp(key, "data_offsets")) {
        if (read_numbers(reader, numbers, 2) != 2) {
            refuse(reader, "a tensor's data_offsets are not two numbers");
            return OFFSETS;
        }
        tensor->begin = numbers[0];
        tensor->end = numbers[1];
        return OFFSETS;
    }
    if (strcmp(key, "dtype") != 0) return 0;
    const char *dtype = read_string(reader);
    if (dtype_size(dtype) == 0) refuse(reader, "a tensor has a dtype that is not known");
    snprintf(tensor->dtype, sizeof tensor->dtype, "%s", dtype);
    return DTYPE;
}

/* {"dtype": ..., "shape": ..., "data_offsets": ...} in any order, each once. */
static void read_tensor(Reader *reader, Tensor *tensor) {
    int fields = 0;
    if (!expect(reader, '{')) return;
    do {
        const char *key = read_string(reader);
        int field = expect(reader, ':') ? read_field(reader, key, tensor) : 0;
        if (!field || (fields & field))
            refuse(reader, "a tensor has a field that is unknown or there twice");
        fields |= field;
    } while (accept(reader, ','));
    if (expect(reader, '}') && fields != ALL)
        refuse(reader, "a tensor lacks its dtype, shape or data_offsets");
}

static Tensor *new_tensor(TensorFile *file, const char *name) {
    file->tensors = grow(file->tensors, &file->tensor_capacity, file->tensor_count + 1,
                         sizeof *file->tensors, "a file's header");
    file->tensors[file->tensor_count] = (Tensor){.name = name};
    return &file->tensors[file->tensor_count++];
}

static void read_metadata(Reader *reader, Metadata *metadata) {
    if (!expect(reader, '{') || accept(reader, '}')) return;
    do {
        const char *key = read_string(reader);
        if (expect(reader, ':')) metadata_add(metadata, key, "%s", read_string(reader));
    } while (accept(reader, ','));
    expect(reader, '}');
}

static void read_header(Reader *reader, TensorFile *file) {
    if (*reader->at != '{') refuse(reader, "its header does not begin with {");
    accept(reader, '{');
    if (reader->reason || accept(reader, '}')) return;
    bool metadata = false;
    do {
        const char *name = read_string(reader);
        bool is_metadata = strcmp(name, "__metadata__") == 0;
        if (is_metadata && metadata) refuse(reader, "its header has __metadata__ twice");
        metadata |= is_metadata;
        if (!expect(reader, ':')) return;
        if (is_metadata)
            read_metadata(reader, &file->metadata);
        else
            read_tensor(reader, new_tensor(file, name));
    } while (accept(reader, ','));
    expect(reader, '}');
}

/* ---- the rules --------------------------------------------------------------------------------- */

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
    return (x->end > y->end) - (x->end < y->end);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool any_twice(const char **texts, size_t count) {
    bool twice = false;
    if (count) qsort(texts, count, sizeof *texts, by_text);
    for (size_t i = 1; i < count; i++) twice |= strcmp(texts[i - 1], texts[i]) == 0;
    return twice;
}

static const char *repeated_name(const TensorFile *file) {
    const char **names = NULL, *reason = NULL, *key = NULL;
    size_t capacity = 0, count = 0;
    names = grow(names, &capacity, file->tensor_count, sizeof *names, "a file's header");
    for (size_t i = 0; i < file->tensor_count; i++) names[i] = file->tensors[i].name;
    if (any_twice(names, file->tensor_count)) reason = "two tensors have one name";
    while ((key = metadata_next(&file->metadata, key))) {
        names = grow(names, &capacity, count + 1, sizeof *names, "a file's header");
        names[count++] = key;
    }
    if (any_twice(names, count)) reason = "a key stands twice in its __metadata__";
    free(names);
    return reason;
}

/* A tensor's bytes by its dtype and shape; false when they are too many for a number. */
static bool tensor_size(const Tensor *tensor, size_t *size) {
    *size = dtype_size(tensor->dtype);
    for (size_t d = 0; d < tensor->rank; d++) {
        if (tensor->shape[d] && *size > SIZE_MAX / tensor->shape[d]) return false;
        *size *= tensor->shape[d];
    }
    return true;
}

/* Sizes agree with shapes, and the tensors cover the data exactly. Sorts tensors by their data. */
static const char *broken_rule(TensorFile *file, size_t data_size) {
    size_t covered = 0, size;
    if (file->tensor_count) qsort(file->tensors, file->tensor_count, sizeof(Tensor), by_place);
    for (size_t i = 0; i < file->tensor_count; i++) {
        const Tensor *tensor = &file->tensors[i];
        if (!tensor_size(tensor, &size)) return "a tensor's shape is too large";
        if (tensor->end < tensor->begin || tensor->end - tensor->begin != size)
            return "a tensor's size is not what its shape says";
        if (tensor->begin < covered) return "two tensors overlap";
        if (tensor->begin > covered) return "there is a hole between tensors";
        covered = tensor->end;
    }
    if (covered > data_size) return "it is cut short: its data end before its tensors do";
    if (covered < data_size) return "something follows its last tensor";
    return repeated_name(file);
}

/* tensors_parse without the tensors' data: of the size bytes only the header is read. */
static const char *parse_header(TensorFile *file, const uint8_t *bytes, size_t size) {
    uint64_t length = 0;
    if (size < 8) return "it is shorter than a safetensors header";
    for (int i = 0; i < 8; i++) length |= (uint64_t)bytes[i] << (8 * i);
    if (length > MAX_HEADER)
        return "its first 8 bytes give a header of more than 100 MB: it is no safetensors file";
    if (length > size - 8) return "its header is cut short";
    if (!valid_utf8(bytes + 8, (size_t)length)) return "its header is not UTF-8";
    Buffer *header = &file->header;
    buffer_bytes(header, bytes + 8, (size_t)length);
    Reader reader = {header->text, NULL};
    read_header(&reader, file);
    accept(&reader, ' ');
    if (reader.at != header->text + header->length)
        refuse(&reader, "something follows its header's JSON");
    return reader.reason ? reader.reason : broken_rule(file, size - 8 - (size_t)length);
}

const char *tensors_parse(TensorFile *file, const uint8_t *bytes, size_t size) {
    *file = (TensorFile){0};
    const char *reason = parse_header(file, bytes, size);
    if (reason) tensors_close(file);
    if (!file->tensor_count) return reason;
    size_t data_size = file->tensors[file->tensor_count - 1].end;
    for (size_t i = 0; i < file->tensor_count; i++)
        file->tensors[i].data = bytes + (size - data_size) + file->tensors[i].begin;
    return NULL;
}

const Tensor *tensor_find(const TensorFile *file, const char *name, const char *dtype,
                          size_t rank) {
    for (size_t i = 0; i < file->tensor_count; i++) {
        const Tensor *tensor = &file->tensors[i];
        if (strcmp(tensor->name, name) != 0) continue;
        return !strcmp(tensor->dtype, dtype) && tensor->rank == rank ? tensor : NULL;
    }
    return NULL;
}

const char *metadata_value(const char *key) { return key + strlen(key) + 1; }

const char *metadata_next(const Metadata *metadata, const char *key) {
    const char *next = key ? metadata_value(metadata_value(key)) : metadata->text;
    return next && next < metadata->text + metadata->length ? next : NULL;
}

const char *metadata_find(const TensorFile *file, const char *key) {
    const char *found = metadata_next(&file->metadata, NULL);
    while (found && strcmp(found, key) != 0) found = metadata_next(&file->metadata, found);
    return found ? metadata_value(found) : NULL;
}

double metadata_number(const TensorFile *file, const char *key, double fallback) {
    const char *value = metadata_find(file, key);
    if (!value) return fallback;
    char *end;
    double number = strtod(value, &end);
    return end == value || *end ? fallback : number;
}

size_t metadata_count(const TensorFile *file, const char *key) {
    const double exact = 9007199254740992.0; /* 2^53 */
    double number = metadata_number(file, key, 0);
    return number >= 0 && number < exact && number < (double)SIZE_MAX ? (size_t)number : 0;
}

/* ---- mapping a file ---------------------------------------------------------------------------- */

static const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

/* Turns round the bytes of each number of `size` bytes. */
static void swap_numbers(void *numbers, size_t bytes, size_t size) {
    uint8_t *number = numbers;
    for (size_t i = 0; i + size <= bytes; i += size, number += size)
        for (size_t j = 0; j < size / 2; j++) {
            uint8_t kept = number[j];
            number[j] = number[size - 1 - j];
            number[size - 1 - j] = kept;
        }
}

/* Reading a mapped page that is no longer in the file raises SIGBUS. */
static void file_shrank(int signal_number) {
    (void)signal_number;
    static const char line[] =
        "a model file was cut short by another program while this one read it; start again\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(1);
}

/* Opening a FIFO must not wait for a writer. */
static const char *map_bytes(TensorFile *file, Entry entry) {
    int descriptor;
    do descriptor = openat(entry.folder, entry.name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) return strerror(errno);
    errno = 0;
    struct stat about;
    const char *reason = NULL;
    if (fstat(descriptor, &about))
        reason = strerror(errno);
    else if (!S_ISREG(about.st_mode))
        reason = "it is no regular file";
    else if (about.st_size < 8)
        reason = "it is shorter than a safetensors header";
    else if ((uintmax_t)about.st_size > SIZE_MAX)
        reason = "it is too large for this machine";
    if (!reason) {
        file->size = (size_t)about.st_size;
        file->bytes = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
        if (file->bytes == MAP_FAILED) reason = strerror(errno);
    }
    close(descriptor);
    return reason;
}

const char *tensors_map(TensorFile *file, Entry entry) {
    TensorFile mapped = {0};
    struct sigaction action = {.sa_handler = file_shrank};
    *file = (TensorFile){0};
    errno = 0;
    const char *reason = map_bytes(&mapped, entry);
    if (reason) return reason;
    sigaction(SIGBUS, &action, NULL);
    reason = tensors_parse(file, mapped.bytes, mapped.size);
    file->bytes = mapped.bytes;
    file->size = mapped.size;
    if (reason) tensors_close(file);
    errno = 0;
    for (size_t i = 0; big_endian && i < file->tensor_count; i++) {
        Tensor *tensor = &file->tensors[i];
        swap_numbers((void *)tensor->data, tensor->end - tensor->begin, dtype_size(tensor->dtype));
    }
    return reason;
}

TensorFile tensors_open(Entry entry, const char *what) {
    TensorFile file;
    const char *path = entry.path, *reason = tensors_map(&file, entry);
    if (!reason) return file;
    if (errno == ENOENT)
        fail("%s: no such file; train %s first (./train TEXT), or name another one", path, what);
    if (errno)
        fail("%s: cannot be opened: %s; name %s that ./train wrote", path, strerror(errno), what);
    fail("%s: is not %s: %s; name one that ./train wrote", path, what, reason);
}

void tensors_close(TensorFile *file) {
    free(file->tensors);
    buffer_free(&file->metadata);
    buffer_free(&file->header);
    free(file->owned[0]);
    free(file->owned[1]);
    if (file->bytes) munmap(file->bytes, file->size);
    *file = (TensorFile){0};
}

/* ---- writing ----------------------------------------------------------------------------------- */

void tensor_add(TensorFile *file, const char *name, const char *dtype, size_t rank,
                const size_t *shape, const void *data) {
    Tensor *tensor = new_tensor(file, name);
    size_t size;
    strcpy(tensor->dtype, dtype);
    tensor->rank = rank;
    memcpy(tensor->shape, shape, rank * sizeof *shape);
    tensor->data = data;
    tensor_size(tensor, &size);
    if (file->tensor_count > 1) tensor->begin = tensor[-1].end;
    tensor->end = tensor->begin + size;
}

void metadata_add(Metadata *metadata, const char *key, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    buffer_bytes(metadata, key, strlen(key) + 1);
    buffer_vadd(metadata, format, arguments);
    buffer_bytes(metadata, "", 1);
    va_end(arguments);
}

void metadata_copy(Metadata *to, const Metadata *from) {
    if (from->length) buffer_bytes(to, from->text, from->length);
}

static void add_string(Buffer *header, const char *text) {
    buffer_add(header, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') buffer_add(header, "\\");
        if ((unsigned char)*text < ' ')
            buffer_add(header, "\\u%04x", (unsigned)*text);
        else
            buffer_bytes(header, text, 1);
    }
    buffer_add(header, "\"");
}

static void add_tensor(Buffer *header, const Tensor *tensor) {
    add_string(header, tensor->name);
    buffer_add(header, ":{\"dtype\":\"%s\",\"shape\":[", tensor->dtype);
    for (size_t d = 0; d < tensor->rank; d++)
        buffer_add(header, d ? ",%zu" : "%zu", tensor->shape[d]);
    buffer_add(header, "],\"data_offsets\":[%zu,%zu]}", tensor->begin, tensor->end);
}

/* The length in 8 bytes, then JSON. */
static Buffer header_of(const TensorFile *file) {
    const char *key = NULL;
    Buffer header = {0};
    buffer_add(&header, "01234567{\"__metadata__\":{");
    while ((key = metadata_next(&file->metadata, key))) {
        add_string(&header, key);
        buffer_add(&header, ":");
        add_string(&header, metadata_value(key));
        if (metadata_next(&file->metadata, key)) buffer_add(&header, ",");
    }
    buffer_add(&header, "}");
    for (size_t i = 0; i < file->tensor_count; i++) {
        buffer_add(&header, ",");
        add_tensor(&header, &file->tensors[i]);
    }
    buffer_add(&header, "}");
    while (header.length % 8) buffer_add(&header, " ");
    for (int i = 0; i < 8; i++) header.text[i] = (char)((uint64_t)(header.length - 8) >> (8 * i));
    return header;
}

static void write_numbers(Writer *writer, const Tensor *tensor) {
    size_t bytes = tensor->end - tensor->begin, size = dtype_size(tensor->dtype);
    if (size == 1 || !big_endian) {
        writer_add(writer, tensor->data, bytes);
        return;
    }
    uint8_t part[1 << 13];
    for (size_t i = 0, length; i < bytes; i += length) {
        length = bytes - i < sizeof part ? bytes - i : sizeof part;
        memcpy(part, (const uint8_t *)tensor->data + i, length);
        swap_numbers(part, length, size);
        writer_add(writer, part, length);
    }
}

void tensors_prepare(TensorFile *file, const char *path) {
    size_t data_size = file->tensor_count ? file->tensors[file->tensor_count - 1].end : 0;
    TensorFile read = {0};
    file->header = header_of(file);
    const char *reason =
        parse_header(&read, (const uint8_t *)file->header.text, file->header.length + data_size);
    if (!reason) {
        Buffer again = header_of(&read);
        if (again.length != file->header.length ||
            memcmp(again.text, file->header.text, again.length) != 0)
            reason = "it would not be read back alike";
        buffer_free(&again);
    }
    tensors_close(&read);
    if (reason)
        fail("%s: cannot be written: no program could read it: %s; what was saved before is "
             "untouched",
             path, reason);
}

void tensors_write(const TensorFile *file, Writer *writer, Entry entry) {
    writer_begin(writer, entry);
    writer_add(writer, file->header.text, file->header.length);
    for (size_t i = 0; i < file->tensor_count; i++) write_numbers(writer, &file->tensors[i]);
}
