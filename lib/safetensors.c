#include "safetensors.h"

#include "fail.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- the header's JSON ---- */

static const char not_json[] = "its header is not the JSON of a safetensors file";
static const char not_fields[] =
    "a tensor has not one dtype, one shape, and data_offsets of two numbers";
static const char too_many[] = "it has more tensors or metadata than this program reads";

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
    if (!found) refuse(reader, not_json);
    return found;
}

/* Is there an item number `count` in a list between these two, such as { and }? */
static bool has_item(Reader *reader, size_t count, char open, char close) {
    if (count == 0) return expect(reader, open) && !accept(reader, close);
    if (accept(reader, ',')) return true;
    expect(reader, close);
    return false;
}

/* The code of uXXXX; 0, which no string holds, when it is none. */
static uint32_t read_code(Reader *reader) {
    char text[6] = "";
    memcpy(text, reader->at, strnlen(reader->at, 5));
    if (text[0] != 'u' || strspn(text + 1, "0123456789abcdefABCDEF") < 4) return 0;
    reader->at += 5;
    return (uint32_t)strtoul(text + 1, NULL, 16);
}

/* One character of a string. Returns how many bytes it puts at out; 0: it is not allowed there. */
static size_t read_character(Reader *reader, char *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    *out = *reader->at;
    if ((unsigned char)*out < ' ') return 0;
    reader->at++;
    if (*out != '\\') return 1;
    const char *escape = memchr(from, *reader->at, sizeof from - 1);
    if (escape) {
        reader->at++;
        *out = to[escape - from];
        return 1;
    }
    uint32_t code = read_code(reader);
    if ((code & 0xfc00) == 0xd800 && *reader->at == '\\') { /* two surrogates are one character */
        reader->at++;
        uint32_t low = read_code(reader);
        if ((low & 0xfc00) != 0xdc00) return 0;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code == 0 || (code >= 0xd800 && code < 0xe000)) return 0;
    return utf8_write(code, out);
}

/* A string without its escapes, in the place of the one with them; "" after an error. */
static const char *read_string(Reader *reader) {
    if (!expect(reader, '"')) return "";
    char *string = reader->at, *end = string;
    size_t size = 1;
    for (; size > 0 && *reader->at != '"'; end += size) size = read_character(reader, end);
    if (size == 0) refuse(reader, not_json);
    if (!expect(reader, '"')) return "";
    *end = '\0';
    return string;
}

/* A name and the colon behind it. */
static const char *read_key(Reader *reader) {
    const char *key = read_string(reader);
    expect(reader, ':');
    return key;
}

/* [a, b, ...]: at most `most` whole numbers without sign; returns how many. */
static size_t read_numbers(Reader *reader, size_t *numbers, size_t most) {
    size_t count = 0;
    for (; has_item(reader, count, '[', ']'); count++) {
        reader->at += strspn(reader->at, " \t\r\n");
        const char *start = reader->at;
        size_t digits = strspn(start, "0123456789");
        errno = 0;
        unsigned long long value = strtoull(start, &reader->at, 10);
        if (digits == 0 || (*start == '0' && digits > 1)) refuse(reader, not_json);
        if (errno || value > SIZE_MAX) refuse(reader, "a number in its header is too large");
        if (count == most) refuse(reader, "a tensor has more dimensions than this program reads");
        if (!reader->reason) numbers[count] = (size_t)value;
    }
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

/* {"dtype": ..., "shape": ..., "data_offsets": ...} in any order, each once. */
static void read_tensor(Reader *reader, Tensor *tensor) {
    size_t count = 0, offsets[2] = {0};
    bool shaped = false, placed = false;
    for (; has_item(reader, count, '{', '}'); count++) {
        const char *key = read_key(reader);
        if (!strcmp(key, "dtype")) {
            const char *dtype = read_string(reader);
            if (dtype_size(dtype) == 0) refuse(reader, "a tensor has a dtype that is not known");
            snprintf(tensor->dtype, sizeof tensor->dtype, "%s", dtype);
        } else if (!strcmp(key, "shape")) {
            tensor->rank = read_numbers(reader, tensor->shape, MAX_RANK);
            shaped = true;
        } else if (!strcmp(key, "data_offsets")) {
            placed = read_numbers(reader, offsets, 2) == 2;
        } else {
            refuse(reader, not_fields);
        }
    }
    if (count != 3 || !tensor->dtype[0] || !shaped || !placed) refuse(reader, not_fields);
    tensor->begin = offsets[0];
    tensor->end = offsets[1];
}

static Tensor *new_tensor(TensorFile *file, Tensor tensor) {
    file->tensors = grow(file->tensors, &file->tensor_capacity, file->tensor_count + 1,
                         sizeof tensor, "a file's header");
    file->tensors[file->tensor_count] = tensor;
    return &file->tensors[file->tensor_count++];
}

static void read_header(Reader *reader, TensorFile *file) {
    bool metadata = false;
    if (*reader->at != '{') refuse(reader, "its header does not begin with {");
    for (size_t i = 0; has_item(reader, i, '{', '}'); i++) {
        const char *name = read_key(reader);
        if (i == MAX_ITEMS) refuse(reader, too_many);
        if (strcmp(name, "__metadata__") != 0) {
            read_tensor(reader, new_tensor(file, (Tensor){.name = name}));
            continue;
        }
        if (metadata) refuse(reader, "its header has __metadata__ twice");
        metadata = true;
        for (size_t pair = 0; has_item(reader, pair, '{', '}'); pair++) {
            const char *key = read_key(reader);
            if (metadata_find(file, key)) refuse(reader, "a key stands twice in its __metadata__");
            if (pair == MAX_ITEMS) refuse(reader, too_many);
            metadata_add(&file->metadata, key, "%s", read_string(reader));
        }
    }
    accept(reader, ' ');
}

/* ---- the rules ---- */

static int by_place(const void *a, const void *b) {
    const Tensor *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
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
        for (size_t j = 0; j < i; j++)
            if (!strcmp(file->tensors[j].name, tensor->name)) return "two tensors have one name";
    }
    if (covered > data_size) return "it is cut short: its data end before its tensors do";
    if (covered < data_size) return "something follows its last tensor";
    return NULL;
}

static const char *read_file(TensorFile *file, const uint8_t *bytes, size_t size) {
    uint64_t length = 0;
    if (size < 8) return "it is shorter than a safetensors header";
    for (int i = 0; i < 8; i++) length |= (uint64_t)bytes[i] << (8 * i);
    if (length > MAX_HEADER)
        return "its first 8 bytes give a header of more than 100 MB: it is no safetensors file";
    if (length > size - 8) return "its header is cut short";
    const size_t start = 8 + (size_t)length;
    for (size_t i = 8, character; i < start; i += character) {
        uint32_t code;
        character = utf8_read(bytes + i, start - i, &code);
        if (character == 0) return "its header is not UTF-8";
    }
    buffer_bytes(&file->header, bytes + 8, (size_t)length);
    Reader reader = {file->header.text, NULL};
    read_header(&reader, file);
    if (reader.at != file->header.text + length)
        refuse(&reader, "something follows its header's JSON");
    if (!reader.reason) reader.reason = broken_rule(file, size - start);
    for (size_t i = 0; !reader.reason && i < file->tensor_count; i++)
        file->tensors[i].data = bytes + start + file->tensors[i].begin;
    return reader.reason;
}

const char *tensors_parse(TensorFile *file, const uint8_t *bytes, size_t size) {
    *file = (TensorFile){0};
    const char *reason = read_file(file, bytes, size);
    if (reason) tensors_close(file);
    return reason;
}

/* ---- reading ---- */

static const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

/* Turns round the bytes of each number of a tensor. */
static void swap_numbers(const Tensor *tensor) {
    size_t size = dtype_size(tensor->dtype);
    uint8_t *number = (uint8_t *)tensor->data;
    for (size_t i = tensor->begin; i < tensor->end; i += size, number += size)
        for (size_t j = 0; j < size / 2; j++) {
            uint8_t kept = number[j];
            number[j] = number[size - 1 - j];
            number[size - 1 - j] = kept;
        }
}

const char *tensors_map(TensorFile *file, Entry entry) {
    void *bytes;
    size_t size;
    *file = (TensorFile){0};
    const char *reason = file_map(entry, &bytes, &size);
    if (reason) return reason;
    reason = tensors_parse(file, bytes, size);
    file->bytes = bytes;
    file->size = size;
    file->path = entry.path;
    if (reason) tensors_close(file);
    errno = 0;
    for (size_t i = 0; big_endian && i < file->tensor_count; i++) swap_numbers(&file->tensors[i]);
    return reason;
}

TensorFile tensors_open(Entry entry, const char *what) {
    TensorFile file;
    const char *reason = tensors_map(&file, entry);
    if (!reason) return file;
    if (errno == ENOENT)
        fail("%s: no such file; \"train TEXT\" makes %s, or name another one", entry.path, what);
    fail("%s: %s %s: %s; name one that train wrote", entry.path,
         errno ? "cannot be opened as" : "is not", what, reason);
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

Tensor tensor_find(const TensorFile *file, const char *name, const char *dtype, size_t rank) {
    for (size_t i = 0; i < file->tensor_count; i++) {
        Tensor tensor = file->tensors[i];
        bool fits = !strcmp(tensor.dtype, dtype) && tensor.rank == rank;
        if (fits && !strcmp(tensor.name, name)) return tensor;
    }
    return (Tensor){0};
}

bool tensor_take(const TensorFile *file, Tensor tensor) {
    const Tensor found = tensor_find(file, tensor.name, tensor.dtype, tensor.rank);
    if (!found.data || memcmp(found.shape, tensor.shape, sizeof found.shape) != 0) return false;
    memcpy((void *)tensor.data, found.data, found.end - found.begin);
    return true;
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

/* ---- writing ---- */

Tensor tensor_of(const char *name, const char *dtype, size_t rows, size_t columns,
                 const void *data) {
    Tensor tensor = {.name = name, .rank = columns ? 2 : 1, .shape = {rows, columns}, .data = data};
    strcpy(tensor.dtype, dtype);
    return tensor;
}

static size_t data_size(const TensorFile *file) {
    return file->tensor_count ? file->tensors[file->tensor_count - 1].end : 0;
}

void tensor_add(TensorFile *file, Tensor tensor) {
    size_t size;
    tensor_size(&tensor, &size);
    tensor.begin = data_size(file);
    tensor.end = tensor.begin + size;
    new_tensor(file, tensor);
}

void metadata_add(Metadata *metadata, const char *key, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    buffer_bytes(metadata, key, strlen(key) + 1);
    buffer_vadd(metadata, format, arguments);
    buffer_bytes(metadata, "", 1);
    va_end(arguments);
}

static void add_string(Buffer *header, const char *text) {
    buffer_add(header, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') buffer_add(header, "\\");
        buffer_add(header, (unsigned char)*text < ' ' ? "\\u%04x" : "%c", *text);
    }
    buffer_add(header, "\"");
}

/* The length in 8 bytes, then JSON. Reading that needs none of the data behind it. */
void tensors_prepare(TensorFile *file, const char *path) {
    Buffer *header = &file->header;
    TensorFile read;
    const char *key = NULL;
    buffer_add(header, "01234567{\"__metadata__\":{");
    while ((key = metadata_next(&file->metadata, key))) {
        add_string(header, key);
        buffer_add(header, ":");
        add_string(header, metadata_value(key));
        if (metadata_next(&file->metadata, key)) buffer_add(header, ",");
    }
    buffer_add(header, "}");
    for (size_t i = 0; i < file->tensor_count; i++) {
        const Tensor *tensor = &file->tensors[i];
        buffer_add(header, ",");
        add_string(header, tensor->name);
        buffer_add(header, ":{\"dtype\":\"%s\",\"shape\":[", tensor->dtype);
        for (size_t d = 0; d < tensor->rank; d++)
            buffer_add(header, d ? ",%zu" : "%zu", tensor->shape[d]);
        buffer_add(header, "],\"data_offsets\":[%zu,%zu]}", tensor->begin, tensor->end);
    }
    buffer_add(header, "}");
    while (header->length % 8) buffer_add(header, " ");
    for (int i = 0; i < 8; i++) header->text[i] = (char)((uint64_t)(header->length - 8) >> (8 * i));
    const uint8_t *bytes = (const uint8_t *)header->text;
    const char *reason = tensors_parse(&read, bytes, header->length + data_size(file));
    if (reason)
        fail("%s: cannot be written: no program could read it: %s; what was saved before is "
             "untouched",
             path, reason);
    tensors_close(&read);
}

void tensors_write(const TensorFile *file, Writer *writer, Entry entry) {
    writer_begin(writer, entry);
    writer_add(writer, file->header.text, file->header.length);
    for (size_t i = 0; i < file->tensor_count; i++) {
        const Tensor *tensor = &file->tensors[i];
        if (big_endian) swap_numbers(tensor);
        writer_add(writer, tensor->data, tensor->end - tensor->begin);
        if (big_endian) swap_numbers(tensor);
    }
}
