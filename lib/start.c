#include "start.h"

#include <math.h>

size_t characters_seen(const SavedModel *saved, uint32_t *rows) {
    size_t count = 0;
    for (uint32_t c = 0; c < CHARACTERS; c++)
        if (saved->vocabulary.count[c]) rows[count++] = c;
    if (count) return count;
    for (uint32_t c = 0; c < CHARACTERS; c++) rows[count++] = c; /* a file without counts */
    return count;
}

Start start_of(const SavedModel *saved) {
    double seed = metadata_number(&saved->file, "seed", -1),
           deviation = metadata_number(&saved->file, "init-std", -1);
    const char *pretrained = metadata_find(&saved->file, "pretrained");
    const char *init = metadata_find(&saved->file, "init");
    Start start = {.known = seed >= 0 && seed <= UINT32_MAX && seed == floor(seed) &&
                            deviation >= 0 && deviation <= MAX_DEVIATION &&
                            (!pretrained || !pretrained[0]) && (!init || !init[0])};
    if (!start.known) return start;
    start.model = model_allocate(CHARACTERS, saved->model.dim);
    Random random = random_seeded((uint32_t)seed);
    model_start(&start.model, &random, (float)deviation);
    return start;
}

void start_free(Start *start) {
    if (start->known) model_free(&start->model);
}

double distance_moved(const SavedModel *saved, const Start *start, uint32_t row) {
    size_t dim = saved->model.dim;
    const float *now = saved->model.embedding + row * dim;
    double sum = 0;
    for (size_t d = 0; d < dim; d++) {
        double change =
            (double)now[d] - (row < CHARACTERS ? (double)start->model.embedding[row * dim + d] : 0);
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
