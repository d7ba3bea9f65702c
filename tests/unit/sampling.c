/* Drawing a character where the sum of all probabilities is a hair below 1 by rounding, and the number drawn lies beyond it. */
#include "../../lib/sampling.h"
#include "../check.h"

#include <stddef.h>
#include <stdint.h>

/* The word of the Mersenne Twister's state that random_bits turns into these bits. */
static uint32_t state_of(uint32_t bits) {
    bits ^= bits >> 18;
    bits ^= (bits << 15) & 0xefc60000u;
    uint32_t word = bits;
    for (int i = 0; i < 4; i++) word = bits ^ ((word << 7) & 0x9d2c5680u);
    bits = word;
    for (int i = 0; i < 2; i++) word = bits ^ (word >> 11);
    return word;
}

/* How often, of `tries`, the largest number that can be drawn lies beyond all kept characters: then the likeliest is taken. */
static size_t beyond(Sampling sampling, size_t tries, size_t *wrong) {
    enum { LIKELIEST = 3 };
    Random random = random_seeded(1), largest = random_seeded(2);
    size_t count = 0;
    for (size_t i = 0; i < tries; i++) {
        float logits[LOGITS];
        for (size_t c = 0; c < CHARACTERS; c++) logits[c] = 4 * random_uniform(&random);
        logits[LIKELIEST] = 5;
        largest.position = 0;
        largest.state[0] = state_of(UINT32_MAX);
        uint8_t id = draw_character(logits, sampling, &largest);
        *wrong += id >= CHARACTERS;
        count += id == LIKELIEST;
    }
    return count;
}

int main(void) {
    Random largest = random_seeded(2);
    largest.position = 0;
    largest.state[0] = state_of(UINT32_MAX);
    check(random_uniform(&largest) == 1 - 0x1p-24f, "the largest number that can be drawn");
    static const struct { const char *name; Sampling sampling; } ways[] = {
        {"all characters", {.temperature = 1, .top_p = 1}}, {"top-p 0.9", {.temperature = 1, .top_p = 0.9}}, {"top-k 50", {.temperature = 1, .top_p = 1, .top_k = 50}}};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        size_t wrong = 0, count = beyond(ways[w].sampling, 1000, &wrong);
        check(count > 0 && count < 1000 && wrong == 0, "%s: where rounding leaves a little, the likeliest is taken: %zu of 1,000", ways[w].name, count);
    }
    return 0;
}
