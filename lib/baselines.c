#include "baselines.h"

#include "characters.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>

/* What characters that occur so often [100] cost in all: total ln total - sum n ln n. */
static double cost(const size_t *counts) {
    size_t total = 0;
    double sum = 0;
    for (int c = 0; c < CHARACTERS; c++) {
        total += counts[c];
        if (counts[c]) sum += (double)counts[c] * log((double)counts[c]);
    }
    return total ? (double)total * log((double)total) - sum : 0;
}

Baselines baselines_of(const uint8_t *text, size_t length) {
    size_t(*pairs)[CHARACTERS] = allocate(CHARACTERS, sizeof *pairs, "counts of pairs");
    size_t counts[CHARACTERS] = {0};
    for (size_t i = 0; i < length; i++) counts[text[i]]++;
    for (size_t i = 1; i < length; i++) pairs[text[i - 1]][text[i]]++;
    Baselines baselines = {log(CHARACTERS), cost(counts) / (double)length, 0};
    for (int c = 0; c < CHARACTERS; c++) baselines.bigram += cost(pairs[c]) / (double)(length - 1);
    free(pairs);
    return baselines;
}
