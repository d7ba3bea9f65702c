#include "start.h"

#include "memory.h"

float *start_of(const TensorFile *file, size_t dim) {
    const char *pretrained = metadata_find(file, "pretrained"), *init = metadata_find(file, "init");
    double seed = metadata_number(file, "seed", -1);
    double deviation = metadata_number(file, "init-std", -1);
    if (!(seed >= 0 && seed <= UINT32_MAX) || seed != floor(seed)) return NULL;
    if (!(deviation >= 0 && deviation <= MAX_DEVIATION)) return NULL;
    if ((pretrained && pretrained[0]) || (init && init[0])) return NULL;
    float *start = allocate(CHARACTERS * dim, sizeof *start, "the rows at the start");
    Random random = random_seeded((uint32_t)seed);
    random_normal(&random, start, CHARACTERS * dim, (float)deviation);
    return start;
}

double distance_moved(const Model *model, const float *start, uint32_t row) {
    size_t dim = model->dim;
    double sum = 0;
    for (size_t i = row * dim; i < (row + 1) * dim; i++) {
        double from = row < CHARACTERS ? (double)start[i] : 0;
        double change = (double)model->embedding[i] - from;
        sum += change * change;
    }
    return sqrt(sum);
}

size_t rank_moves(const Model *model, const float *start, Scored *moves) {
    size_t still = 0;
    for (uint32_t c = 0; c < CHARACTERS; c++) {
        moves[c] = (Scored){distance_moved(model, start, c), c};
        still += moves[c].score == 0;
    }
    sort_scored(moves, CHARACTERS);
    return still;
}
