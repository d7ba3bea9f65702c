/* snapshots.h: the 100 characters' rows at some moments of a run, so that one can see them move. */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include "safetensors.h"

/* At most so many, and at most a megabyte of them. */
enum { MAX_SNAPSHOTS = 40 };

typedef struct {
    size_t dim, count, capacity;
    int64_t steps[MAX_SNAPSHOTS];
    float *rows; /* [count, 100, dim] */
} Snapshots;

Snapshots snapshots_start(size_t dim);
void snapshots_free(Snapshots *snapshots);

/* Is a snapshot due after this step? They are denser at the start, where rows move most. */
bool snapshot_due(const Snapshots *snapshots, size_t step, size_t steps);
void snapshot_take(Snapshots *snapshots, const float *character_rows, size_t step);

/* Adds the snapshots, if there are any, to a file to be written; and takes them from one. Returns
   false, with no snapshots, when the file holds none of this dim: finite numbers, of steps from 0
   on that rise. */
void snapshots_add(const Snapshots *snapshots, TensorFile *file);
bool snapshots_read(Snapshots *snapshots, const TensorFile *file);

/* Reads a file of snapshots. False, with none, when there is no such file, or (then with a notice)
   when it is damaged or not of the model's run. */
bool snapshots_load(Snapshots *snapshots, Entry entry, const TensorFile *model);

#endif
