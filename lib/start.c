#include "start.h"

#include <math.h>

size_t characters_seen(const SavedModel *saved, uint32_t *rows) {
    size_t count = 0;
    bool counted = false;
    for (uint32_t c = 0; c < CHARACTERS; c++) counted |= saved->vocabulary.count[c] > 0;
    for (uint32_t c = 0; c < CHARACTERS; c++)
        if (!counted || saved->vocabulary.count[c]) rows[count++] = c;
    return count;
}

Start start_of(const SavedModel *saved) {
    const TensorFile *file = &saved->file;
    const char *pretrained = metadata_find(file, "pretrained"), *init = metadata_find(file, "init");
    double seed = metadata_number(file, "seed", -1);
    double deviation = metadata_number(file, "init-std", -1);
    Start start = {0};
    if (!(seed >= 0 && seed <= UINT32_MAX) || seed != floor(seed)) return start;
    if (!(deviation >= 0 && deviation <= MAX_DEVIATION)) return start;
    if ((pretrained && pretrained[0]) || (init && init[0])) return start;
    start = (Start){true, model_allocate(CHARACTERS, saved->model.dim)};
    Random random = random_seeded((uint32_t)seed);
    model_start(&start.model, &random, (float)deviation);
    return start;
}

void start_free(Start *start) {
    if (start->known) model_free(&start->model);
}

double distance_moved(const SavedModel *saved, const Start *start, uint32_t row) {
    size_t dim = saved->model.dim;
    double sum = 0;
    for (size_t i = row * dim; i < (row + 1) * dim; i++) {
        double from = row < CHARACTERS ? (double)start->model.embedding[i] : 0;
        double change = (double)saved->model.embedding[i] - from;
        sum += change * change;
    }
    return sqrt(sum);
}

size_t rank_moves(const SavedModel *saved, const Start *start, Scored *moves) {
    size_t still = 0;
    for (uint32_t c = 0; c < CHARACTERS; c++) {
        moves[c] = (Scored){distance_moved(saved, start, c), c};
        still += moves[c].score == 0;
    }
    sort_scored(moves, CHARACTERS);
    return still;
}
