/* speed.c: how fast training is: speed [OPTIONS OF ./train] TEXT prints, on one line: characters
   per second while training; seconds to list the rows, and how many; microseconds to look up a
   character's; MB of memory. With --threads 1 a second line says what no program exceeds. */
#include "../lib/fail.h"
#include "../lib/settings.h"
#include "../lib/text.h"
#include "../lib/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The best of several stretches of about 0.2 s: other programs can only slow one down. */
static double characters_per_second(Trainer *trainer) {
    size_t batch = trainer->options.batch, steps = 1 + 100000 / batch;
    double best = 0;
    if (steps > RUN_STEPS) steps = RUN_STEPS;
    trainer_run(trainer, steps);
    for (int i = 0; i < 12; i++) {
        size_t done = 0;
        double start = seconds_now(), seconds;
        do done += trainer_run(trainer, steps);
        while ((seconds = seconds_now() - start) < 0.2);
        best = fmax(best, (double)(done * batch) / seconds);
    }
    return best;
}

/* Multiplications and additions of one core in a second, both pipes always busy: independent sums
   in registers, the best of many short stretches. */
static double peak(void) {
    enum { CHAINS = 12, TURNS = 200000 };
    Floats sum[CHAINS];
    volatile float start = 1, factor = 0.999f;
    double best = 0;
    for (int i = 0; i < 50; i++) {
        double begun = seconds_now();
        for (int c = 0; c < CHAINS; c++) sum[c] = (Floats){0} + start;
        float f = factor, s = start;
        for (int t = 0; t < TURNS; t++)
            for (int c = 0; c < CHAINS; c++) sum[c] = sum[c] * f + s;
        for (int c = 1; c < CHAINS; c++) sum[0] += sum[c];
        start = sum[0][0] * 0 + 1; /* so that compilers keep the loop */
        best = fmax(best, 2.0 * CHAINS * TURNS * LANES / (seconds_now() - begun));
    }
    return best;
}

/* Operations that model.h's mathematics takes for each position, averaged over the batches at hand.
   A division or a square root counts as one. */
static double operations(const Trainer *trainer) {
    const double dim = (double)trainer->options.dim;
    const double product = 2 * CHARACTERS * dim, softmax = 25 * CHARACTERS, adagrad = 7;
    double total = 0, positions = 0;
    for (size_t i = 0; i < trainer->ahead_count; i++) {
        const Batch *batch = &trainer->ahead[i].batch;
        if (batch->bags == 0) continue;
        double bags = (double)batch->bags, rows = (double)batch->distinct;
        double indices = batch->offsets[batch->bags];
        total += bags * (3 * product + softmax) + indices * dim + (indices - rows) * dim;
        total += adagrad * (rows * dim + (double)linear_size(trainer->options.dim));
        positions += (double)batch->positions;
    }
    return total / positions;
}

int main(int argc, char **argv) {
    Settings settings = {0};
    struct rusage usage;
    set_program_name(argv[0]);
    settings_read(&settings, argc, argv);
    Text text = text_read(settings.text, false);
    size_t split = (size_t)((double)text.length * 0.9);
    settings_complete(&settings, split);
    settings.run.epochs = 1000; /* the time ends the run, and learning rates stay */
    Team *team = team_start((int)settings.threads);
    double begun = seconds_now();
    Vocabulary vocabulary = vocabulary_list(text.ids, split, settings.rows);
    double list = seconds_now() - begun;
    Trainer *trainer = trainer_start(team, &vocabulary, text.ids, split, settings.run, NULL);
    begun = seconds_now();
    trainer_run(trainer, 1);
    double find = seconds_now() - begun, rate = characters_per_second(trainer);
    getrusage(RUSAGE_SELF, &usage);
    printf("%.0f characters/s; %zu characters, %u rows listed in %.2f s, looked up in %.3f "
           "us/char, %.0f MB\n",
           rate, text.length, (unsigned)vocabulary.rows, list,
           1e6 * find / (double)trainer->bags.count, (double)usage.ru_maxrss / 1e3);
    if (settings.threads == 1) {
        double limit = peak(), needed = operations(trainer);
        printf("%.0f operations a character, %.0f ns at %.1f billion a second; trained in %.0f ns: "
               "%.0f%% of the ceiling\n",
               needed, 1e9 * needed / limit, limit / 1e9, 1e9 / rate, 100 * rate * needed / limit);
    }
    trainer_end(trainer);
    vocabulary_free(&vocabulary);
    team_end(team);
    free(text.ids);
    return 0;
}
