#include "snapshots.h"

#include "characters.h"
#include "fail.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

Snapshots snapshots_start(size_t dim) {
    size_t bytes = CHARACTERS * dim * sizeof(float), fit = 1000000 / bytes;
    Snapshots snapshots = {.dim = dim, .capacity = fit < 2 ? 0 : fit < MAX_SNAPSHOTS ? fit : MAX_SNAPSHOTS};
    snapshots.rows = allocate(snapshots.capacity, bytes, "snapshots");
    return snapshots;
}

void snapshots_free(Snapshots *snapshots) {
    free(snapshots->rows);
    snapshots->rows = NULL;
}

/* Snapshot i of n is due at (i / (n - 1))^2 of the run. */
bool snapshot_due(const Snapshots *snapshots, size_t step, size_t steps) {
    if (snapshots->count == snapshots->capacity) return false;
    double share = (double)snapshots->count / (double)(snapshots->capacity - 1);
    return (double)step >= share * share * (double)steps && (!snapshots->count || snapshots->steps[snapshots->count - 1] < (int64_t)step);
}

void snapshot_take(Snapshots *snapshots, const float *character_rows, size_t step) {
    size_t size = CHARACTERS * snapshots->dim;
    memcpy(snapshots->rows + snapshots->count * size, character_rows, size * sizeof(float));
    snapshots->steps[snapshots->count++] = (int64_t)step;
}

/* 8-byte numbers come first, so that all stand aligned. */
void snapshots_save(Entry entry, const Snapshots *snapshots) {
    if (!snapshots->count) return;
    TensorFile file = {0};
    size_t shape[] = {snapshots->count, CHARACTERS, snapshots->dim};
    tensor_add(&file, "steps", "I64", 1, shape, snapshots->steps);
    tensor_add(&file, "snapshots", "F32", 3, shape, snapshots->rows);
    metadata_add(&file.metadata, "format", "pt");
    Writer writer = {0};
    tensors_write(&writer, entry, &file);
    writer_finish(&writer);
    tensors_close(&file);
}

bool snapshots_load(Entry entry, Snapshots *snapshots, size_t last_step) {
    if (faccessat(entry.folder, entry.name, R_OK, 0)) return false;
    TensorFile file = tensors_open(entry, "a file of snapshots");
    const Tensor *rows = tensor_find(&file, "snapshots", "F32", 3), *steps = tensor_find(&file, "steps", "I64", 1);
    size_t count = steps ? steps->shape[0] : 0;
    bool fits = rows && count >= 1 && count <= snapshots->capacity && rows->shape[0] == count && rows->shape[1] == CHARACTERS &&
                rows->shape[2] == snapshots->dim;
    if (fits) {
        memcpy(snapshots->steps, steps->data, count * sizeof(int64_t));
        memcpy(snapshots->rows, rows->data, count * CHARACTERS * snapshots->dim * sizeof(float));
        for (size_t s = 0; s < count; s++)
            fits &= snapshots->steps[s] > (s ? snapshots->steps[s - 1] : -1);
        for (size_t i = 0; i < count * CHARACTERS * snapshots->dim; i++)
            fits &= isfinite(snapshots->rows[i]) != 0;
    }
    while (fits && count > 0 && (size_t)snapshots->steps[count - 1] > last_step) count--;
    snapshots->count = fits ? count : 0;
    tensors_close(&file);
    return fits;
}
