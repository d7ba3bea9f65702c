/* safetensors.h: files of named arrays, as Hugging Face's safetensors format has them, read and written.

       8 bytes     length of the header, little-endian
       header      JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...,
                   "__metadata__": {"key": "value", ...}}, padded with spaces
       data        the arrays, little-endian, back to back: no holes, no overlaps, nothing left over

   Reading checks every rule before anything is used, so a file that opens can be trusted in its shape. */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_RANK = 8, MAX_HEADER = 100000000 };

typedef struct {
    char *name;
    char dtype[8]; /* "F32", "I32", "U8", ... */
    size_t rank, shape[MAX_RANK];
    size_t begin, end; /* where it is in the data */
    const void *data;
} Tensor;

typedef struct {
    char *key, *value;
} Pair;

typedef struct {
    Tensor *tensors; /* in the order of their data */
    size_t tensor_count;
    Pair *metadata;
    size_t metadata_count;
    void *bytes; /* the file's bytes: mapped, private */
    size_t size;
} TensorFile;

/* Reads the structure of size bytes, which must outlive the result. Returns false, with a reason, when they break a
   rule of the format; memory used is in proportion to the header's length. */
bool tensors_parse(TensorFile *file, const uint8_t *bytes, size_t size, const char **reason);

/* Maps and parses a file; fails with one line that names `what` ("a model", "a checkpoint") when it can't.
   A file that another program cuts short while it is mapped ends this program with one line. */
TensorFile tensors_open(const char *path, const char *what);
void tensors_close(TensorFile *file);

/* A tensor by name, with this dtype and rank; NULL when there is none such. */
const Tensor *tensor_find(const TensorFile *file, const char *name, const char *dtype, size_t rank);
/* A metadata value by key, NULL when there is none. */
const char *metadata_find(const TensorFile *file, const char *key);

/* Writes a file whole or not at all: to a temporary name beside it, synced, then renamed over path, and the folder synced.
   Fails with one line, and the file as it was, when that can't be done, or when tensors_parse would
   not read the same names, shapes and metadata from its header. */
void tensors_write(const char *path, const Tensor *tensors, size_t tensor_count, const Pair *metadata, size_t metadata_count);

/* The same for a text. */
void text_write(const char *path, const char *text, size_t length);

/* Removes the temporary file of a writer that was killed, of a file that will not be written now. */
void leftover_remove(const char *path);

#endif
