/* the C program against numbers that PyTorch computed (golden.h, from golden.py): the start, the
   shuffle, and the losses of the first thousand batches of many kinds of runs. */
#include "golden.h"

#include "../../lib/memory.h"
#include "../../lib/text.h"
#include "../check.h"

#include <stdlib.h>

static double apart(float a, float b) { return fabs((double)a - (double)b); }

/* Is the shuffle of 0..count-1 the one of this fingerprint, with these numbers [count_first]
   first? */
static bool shuffles_to(Random *random, uint32_t count, uint64_t fingerprint, const uint32_t *first,
                        size_t count_first) {
    uint64_t *wide = allocate(count, sizeof *wide, "an order");
    uint32_t *order = allocate(count, sizeof *order, "an order");
    for (uint32_t i = 0; i < count; i++) wide[i] = i;
    random_shuffle(random, wide, count);
    for (uint32_t i = 0; i < count; i++) order[i] = (uint32_t)wide[i];
    bool same = text_fingerprint((uint8_t *)order, count * sizeof *order) == fingerprint;
    for (size_t i = 0; i < count_first; i++) same &= order[i] == first[i];
    free(wide);
    free(order);
    return same;
}

static void test_starts(void) {
    for (size_t s = 0; s < sizeof golden_starts / sizeof *golden_starts; s++) {
        size_t dim = golden_starts[s].dim;
        Model model = model_allocate(CHARACTERS, dim);
        Random random = random_seeded(golden_starts[s].seed);
        model_start(&model, &random, 1);
        double embedding = 0, linear = 0;
        for (size_t i = 0; i < 40; i++) {
            size_t at = i * (CHARACTERS * dim / 40);
            embedding = fmax(embedding, apart(model.embedding[at], golden_starts[s].embedding[i]));
            linear = fmax(linear, apart(model.linear[at], golden_starts[s].linear[i]));
            if (i < 20) linear = fmax(linear, apart(model.bias[5 * i], golden_starts[s].bias[i]));
        }
        check(embedding <= 1e-6 && linear <= 1e-7,
              "start with seed %lu, dim %zu: PyTorch's to %.1e (embedding), %.1e (linear)",
              (unsigned long)golden_starts[s].seed, dim, embedding, linear);
        check(shuffles_to(&random, 1000, golden_starts[s].order, NULL, 0),
              "and the shuffle after it is torch.randperm's");
        model_free(&model);
    }
}

/* PyTorch rounds the angle of a normal number to a float: without that, these would differ. */
static void test_turns(void) {
    double worst = 0;
    size_t count = sizeof golden_turns / sizeof *golden_turns;
    for (size_t s = 0; s < count; s++) {
        float numbers[1000];
        Random random = random_seeded(golden_turns[s].seed);
        random_normal(&random, numbers, 1000, 1);
        worst = fmax(worst, apart(numbers[golden_turns[s].at], golden_turns[s].value));
    }
    check(count > 10 && worst <= 1e-6,
          "normal numbers where the angle's rounding shows, %zu seeds: PyTorch's to %.1e", count,
          worst);
}

static void test_orders(void) {
    for (size_t s = 0; s < sizeof golden_orders / sizeof *golden_orders; s++) {
        Random random = random_seeded(golden_orders[s].seed);
        check(shuffles_to(&random, golden_orders[s].count, golden_orders[s].fingerprint,
                          golden_orders[s].first,
                          sizeof golden_orders[s].first / sizeof *golden_orders[s].first),
              "random_shuffle of %lu is torch.randperm's", (unsigned long)golden_orders[s].count);
    }
}

/* Both programs' losses differ by rounding only; a wrong formula differs by far more than 1e-4. */
static void test_run(Team *team, const Text *text, size_t r) {
    const double allowed = 1e-4;
    RowOptions rows = {.order = golden_runs[r].order,
                       .min_count = golden_runs[r].min_count,
                       .max_rows = UINT32_MAX,
                       .phrases = golden_runs[r].phrases,
                       .columns = golden_runs[r].columns};
    static const uint8_t keys[] = {2,
                                   3,
                                   ECHO_CASES + 4,
                                   ECHO_CASES + 6,
                                   ECHO_CASES + 10,
                                   16,
                                   32,
                                   ECHO_CASES + ECHO_WORDS + 1,
                                   ECHO_CASES + ECHO_WORDS + 2,
                                   ECHO_EARLIER,
                                   ECHO_ABOVE};
    if (golden_runs[r].echoes) {
        rows.echoes = sizeof keys;
        memcpy(rows.echo_keys, keys, sizeof keys);
    }
    Vocabulary vocabulary = vocabulary_list(text->ids, golden_split, rows);
    Trainer *trainer =
        trainer_start(team, &vocabulary, text->ids, golden_split, golden_runs[r].options, NULL);
    double sum = 0, worst = 0;
    size_t done = trainer_run(trainer, GOLDEN_BATCHES);
    for (size_t i = 0; i < done; i++) sum += (double)trainer->losses[i];
    for (size_t i = 0; i < GOLDEN_SAMPLES; i++) {
        double difference = apart(trainer->losses[golden_steps[i] - 1], golden_runs[r].losses[i]);
        if (!(difference <= worst)) worst = difference;
    }
    double mean_difference = fabs(sum / GOLDEN_BATCHES - golden_runs[r].mean);
    check(done == GOLDEN_BATCHES && vocabulary.rows == golden_runs[r].rows && worst <= allowed &&
              mean_difference <= allowed,
          "%s: PyTorch's losses of %zu batches to %.1e, their mean to %.1e (%lu rows of %lu)",
          golden_runs[r].name, done, worst, mean_difference, (unsigned long)vocabulary.rows,
          (unsigned long)golden_runs[r].rows);
    trainer_end(trainer);
    vocabulary_free(&vocabulary);
}

int main(void) {
    test_starts();
    test_turns();
    test_orders();
    Text text = text_read(GOLDEN_TEXT, true);
    if ((size_t)((double)text.length * 0.9) != golden_split) {
        check(false, "golden.h: is for another " GOLDEN_TEXT
                     " than the one here: run tests/golden.py > tests/unit/golden.h");
        return 1;
    }
    Team *team = team_start(2);
    for (size_t r = 0; r < sizeof golden_runs / sizeof *golden_runs; r++) test_run(team, &text, r);
    team_end(team);
    free(text.ids);
    return 0;
}
