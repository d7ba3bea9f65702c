/* speed.c: how fast training is.

   usage: speed TEXT ORDER DIM BATCH THREADS     one line: characters per second while training
          speed TEXT default                     all kinds of rows: list, look-up, training, memory, on all threads */
#include "../lib/fail.h"
#include "../lib/memory.h"
#include "../lib/baselines.h"
#include "../lib/text.h"
#include "../lib/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static RunOptions run_options(size_t dim, size_t batch, bool characters_only) {
    return (RunOptions){.dim = dim,
                        .batch = batch,
                        .epochs = 1000,
                        .embedding_lr = 0.1,
                        .linear_lr = 0.02,
                        .final_lr = 1,
                        .accumulator = characters_only ? 0 : 1 / ((double)batch * (double)batch),
                        .deviation = characters_only ? 1 : 0.1,
                        .seed = 1,
                        .norm_type = 2};
}

/* The best of several stretches of about 0.2 s: other programs can only slow one down. */
static double characters_per_second(Trainer *trainer) {
    size_t batch = trainer->options.batch,
           steps = 1 + 100000 / batch < RUN_STEPS ? 1 + 100000 / batch : RUN_STEPS;
    double best = 0;
    trainer_run(trainer, steps);
    for (int i = 0; i < 12; i++) {
        size_t done = 0;
        double start = seconds_now(), seconds;
        do done += trainer_run(trainer, steps);
        while ((seconds = seconds_now() - start) < 0.2);
        double rate = (double)(done * batch) / seconds;
        best = rate > best ? rate : best;
    }
    return best;
}

/* What a run with ./train's defaults takes: seconds to list, microseconds a character to look up and to train, memory. */
static void print_default(const char *path) {
    Text text = text_read(path, false);
    size_t split = (size_t)((double)text.length * 0.9);
    Team *team = team_start(processors());
    RowOptions rows = {.order = 7,
                       .min_count = 1,
                       .max_rows = 3000000,
                       .phrases = true,
                       .columns = true,
                       .echoes = 7,
                       .echo_keys = {2, 3, 4, 6, 8, 101, 102}};
    double start = seconds_now(), list, find;
    Vocabulary vocabulary = vocabulary_list(text.ids, split, rows);
    list = seconds_now() - start;
    Trainer *trainer =
        trainer_start(team, &vocabulary, text.ids, split, run_options(64, 256, false), NULL);
    start = seconds_now();
    trainer_run(trainer, 1);
    find = seconds_now() - start;
    double rate = characters_per_second(trainer);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%zu characters: listed in %.2f s, %u rows seen at least %u times, looked up in %.3f "
           "us/char, trained in %.3f us/char, %.0f MB of memory\n",
           text.length, list, (unsigned)vocabulary.rows, (unsigned)vocabulary.min_count,
           1e6 * find / (double)trainer->bags.count, 1e6 / rate, (double)usage.ru_maxrss / 1e3);
    trainer_end(trainer);
    vocabulary_free(&vocabulary);
    team_end(team);
    free(text.ids);
}

int main(int argc, char **argv) {
    set_program_name(argv[0]);
    if (argc == 3 && !strcmp(argv[2], "default")) {
        print_default(argv[1]);
        return 0;
    }
    if (argc != 6) wrong_use("give TEXT ORDER DIM BATCH and THREADS");
    int order = atoi(argv[2]);
    size_t dim = strtoul(argv[3], NULL, 10), batch = strtoul(argv[4], NULL, 10);
    if (order < 1 || order > MAX_ORDER || dim < 1 || dim > MAX_DIM || batch < 1 ||
        atoi(argv[5]) < 1)
        wrong_use("a number is out of range");
    Text text = text_read(argv[1], false);
    size_t split = (size_t)((double)text.length * 0.9);
    Team *team = team_start(atoi(argv[5]));
    Vocabulary vocabulary = vocabulary_list(
        text.ids, split, (RowOptions){.order = order, .min_count = 2, .max_rows = 3000000});
    Trainer *trainer = trainer_start(team, &vocabulary, text.ids, split,
                                     run_options(dim, batch, order == 1), NULL);
    printf("%.0f\n", characters_per_second(trainer));
    trainer_end(trainer);
    vocabulary_free(&vocabulary);
    team_end(team);
    free(text.ids);
    return 0;
}
