/* safetensors.h: files of named arrays in Hugging Face's safetensors format, read and written.

       8 bytes     length of the header, little-endian
       header      JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...,
                   "__metadata__": {"key": "value", ...}}, padded with spaces
       data        the arrays, little-endian, back to back: no holes, no overlaps, nothing left over

   Reading checks every rule before anything is used: what a file that opens says can be trusted. */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include "folder.h"

#include <stdint.h>

/* What this program reads of a file: bytes of the header; tensors, and keys; dimensions. */
enum { MAX_HEADER = 100000000, MAX_ITEMS = 1024, MAX_RANK = 8 };

typedef struct {
    const char *name;
    char dtype[8]; /* "F32", "I32", "U8", ... */
    size_t rank, shape[MAX_RANK];
    const void *data;
    size_t begin, end; /* where it is in the file's data */
} Tensor;

/* A tensor [rows, columns], or [rows] where columns is 0. Name and data must outlive it. */
Tensor tensor_of(const char *name, const char *dtype, size_t rows, size_t columns,
                 const void *data);

/* Keys and values of any length in UTF-8: key NUL value NUL key ... Starts as {0}. */
typedef Buffer Metadata;

/* A file that was read, or one to be written; then it starts as {0}. */
typedef struct {
    Tensor *tensors; /* in the order of their data */
    size_t tensor_count, tensor_capacity;
    Metadata metadata;
    Buffer header;  /* of a file that was read, the names stand there; or ready to be written */
    void *owned[2]; /* memory that is freed with the file, such as data made for it */
    void *bytes;    /* [size] of a file that was read: mapped, private */
    size_t size;
    const char *path; /* that it was read from */
} TensorFile;

/* Reads the structure of size bytes, which must outlive the result. Returns NULL, or which rule
   they break; then the file is {0}. It takes memory in proportion to the header's length. */
const char *tensors_parse(TensorFile *file, const uint8_t *bytes, size_t size);

/* Maps and parses a file. Returns NULL, or why it cannot be read; then the file is {0}, and errno
   is as file_map leaves it. tensors_open fails then: it is not `what`, such as "a model". */
const char *tensors_map(TensorFile *file, Entry entry);
TensorFile tensors_open(Entry entry, const char *what);
void tensors_close(TensorFile *file);

/* A tensor by name, with this dtype and rank; all zeros, data NULL, when there is none such. */
Tensor tensor_find(const TensorFile *file, const char *name, const char *dtype, size_t rank);

/* Copies the tensor of this name, dtype and shape to tensor.data; false when there is none such. */
bool tensor_take(const TensorFile *file, Tensor tensor);

/* Adds a tensor to a file to be written: its name and data are not copied. */
void tensor_add(TensorFile *file, Tensor tensor);

/* The key after this one (NULL: the first), NULL at the end; and the value of such a key. */
const char *metadata_next(const Metadata *metadata, const char *key);
const char *metadata_value(const char *key);

/* A value by key, NULL when there is none. */
const char *metadata_find(const TensorFile *file, const char *key);

/* A number of the metadata: the fallback when there is none; a count: 0 when there is none. */
double metadata_number(const TensorFile *file, const char *key, double fallback);
size_t metadata_count(const TensorFile *file, const char *key);

void metadata_add(Metadata *metadata, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes the file's header; fails with one line when tensors_parse would refuse it. Then writes the
   file as one of the writer's: that takes no memory. */
void tensors_prepare(TensorFile *file, const char *path);
void tensors_write(const TensorFile *file, Writer *writer, Entry entry);

#endif
