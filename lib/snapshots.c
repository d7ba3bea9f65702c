#include "snapshots.h"

#include "characters.h"
#include "fail.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Snapshots snapshots_start(size_t dim) {
    const size_t megabyte = 1000000, bytes = CHARACTERS * dim * sizeof(float);
    Snapshots snapshots = {.dim = dim, .capacity = smaller(megabyte / bytes, MAX_SNAPSHOTS)};
    if (snapshots.capacity < 2) snapshots.capacity = 0;
    snapshots.rows = allocate(snapshots.capacity, bytes, "snapshots");
    return snapshots;
}

void snapshots_free(Snapshots *snapshots) { free(snapshots->rows); }

/* Snapshot i of n is due at (i / (n - 1))^2 of the run. */
bool snapshot_due(const Snapshots *snapshots, size_t step, size_t steps) {
    if (snapshots->count == snapshots->capacity) return false;
    if (snapshots->count && snapshots->steps[snapshots->count - 1] >= (int64_t)step) return false;
    double share = (double)snapshots->count / (double)(snapshots->capacity - 1);
    return (double)step >= share * share * (double)steps;
}

void snapshot_take(Snapshots *snapshots, const float *character_rows, size_t step) {
    size_t size = CHARACTERS * snapshots->dim;
    memcpy(snapshots->rows + snapshots->count * size, character_rows, size * sizeof(float));
    snapshots->steps[snapshots->count++] = (int64_t)step;
}

static Tensor steps_of(const Snapshots *snapshots, size_t count) {
    return tensor_of("steps", "I64", count, 0, snapshots->steps);
}

static Tensor rows_of(const Snapshots *snapshots, size_t count) {
    return (Tensor){.name = "snapshots",
                    .dtype = "F32",
                    .rank = 3,
                    .shape = {count, CHARACTERS, snapshots->dim},
                    .data = snapshots->rows};
}

/* 8-byte numbers come first, so that all stand aligned. */
void snapshots_add(const Snapshots *snapshots, TensorFile *file) {
    if (!snapshots->count) return;
    tensor_add(file, steps_of(snapshots, snapshots->count));
    tensor_add(file, rows_of(snapshots, snapshots->count));
}

bool snapshots_read(Snapshots *snapshots, const TensorFile *file) {
    size_t count = tensor_find(file, "steps", "I64", 1).shape[0];
    snapshots->count = 0;
    if (count < 1 || count > snapshots->capacity) return false;
    bool good = tensor_take(file, steps_of(snapshots, count)) &&
                tensor_take(file, rows_of(snapshots, count));
    for (size_t s = 0; good && s < count; s++)
        good = snapshots->steps[s] > (s ? snapshots->steps[s - 1] : -1);
    for (size_t i = 0; good && i < count * CHARACTERS * snapshots->dim; i++)
        good = isfinite(snapshots->rows[i]);
    if (good) snapshots->count = count;
    return good;
}

bool snapshots_load(Snapshots *snapshots, Entry entry, const TensorFile *model) {
    TensorFile file;
    const char *reason = tensors_map(&file, entry);
    snapshots->count = 0;
    if (reason && errno == ENOENT) return false;
    if (reason && errno) fail("%s: cannot be opened: %s", entry.path, reason);
    const char *run = metadata_find(&file, "run"), *wanted = metadata_find(model, "run");
    if (!reason && wanted && (!run || strcmp(run, wanted) != 0)) reason = "it is of another run";
    if (!reason && !snapshots_read(snapshots, &file))
        reason = "it holds no snapshots of this model";
    tensors_close(&file);
    if (reason) notice("%s: is not used: %s", entry.path, reason);
    return !reason;
}
