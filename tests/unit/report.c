/* What a run says: the live line at every width, times and speeds, the time that is left. */
#include "../../lib/run.h"
#include "../check.h"
#include "../child.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half of a run of 4 epochs of 500 steps, 4 evaluations each, with these speeds. */
static Run half(Trainer *trainer, double seconds, size_t steps, double evaluation) {
    *trainer = (Trainer){.step = 1000, .steps = 2000};
    return (Run){.trainer = trainer,
                 .split = 500 * 256,
                 .settings = {.evaluations = 4, .run = {.epochs = 4, .batch = 256}},
                 .state = {.best_loss = 1.5, .train_sum = 125, .train_positions = 100},
                 .report = {.seconds = seconds, .steps = steps, .evaluation_seconds = evaluation}};
}

static void test_widths(void) {
    Trainer trainer;
    Run run = half(&trainer, 10, 1000, 0.5);
    bool fits = true, grows = true;
    size_t last = 0;
    for (size_t width = 4; width <= 300; width++) {
        char *line = progress_line(&run, width);
        fits = fits && strlen(line) <= width && strncmp(line, " 50%", 4) == 0;
        grows = grows && (strlen(line) >= last || width == 60);
        last = strlen(line);
        free(line);
    }
    check(fits, "the live line begins with the share done and fits, from 4 to 300 columns");
    check(grows, "and says more the more room there is");
}

static void test_lines(void) {
#define FRONT " 50% [##########          ]"
#define LOSSES "  train 1.250  best val 1.500  epoch 3/4"
    static const struct {
        double seconds;
        size_t steps;
        double evaluation;
        size_t width;
        const char *line, *name;
    } cases[] = {
        {10, 1000, 0.5, 19, " 50%  14 s left", "20 columns: the share and the time left"},
        {10, 1000, 0.5, 79, FRONT "  14 s left" LOSSES, "80 columns: all but the speed"},
        {10, 1000, 0.5, 119, FRONT "  14 s left" LOSSES "  25,600 chars/s",
         "120 columns: the speed as well"},
        {0, 0, 0, 30, " 50%  train 1.250", "no time and no speed before there is a measurement"},
        {1000, 1000, 0, 19, " 50%  17 min left", "minutes from ten minutes on"},
        {50000, 1000, 0, 19, " 50%  14 h left", "hours from ten hours on"},
        {100, 1, 0, 119, FRONT "  28 h left" LOSSES "  2 chars/s",
         "a few characters a second are not 0.00 M"},
        {1, 10000, 0, 119, FRONT "  0.1 s left" LOSSES "  2,560,000 chars/s",
         "millions of characters a second"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trainer trainer;
        Run run = half(&trainer, cases[i].seconds, cases[i].steps, cases[i].evaluation);
        char *line = progress_line(&run, cases[i].width);
        check(strcmp(line, cases[i].line) == 0, "%s", cases[i].name);
        if (strcmp(line, cases[i].line)) printf("note the line is \"%s\"\n", line);
        free(line);
    }
}

/* The seconds that the line says are left; -1 when it says none. */
static double seconds_left(const Run *run) {
    double left = -1;
    char unit[4];
    char *line = progress_line(run, 30), *found = strstr(line, "%  ");
    if (!found || sscanf(found, "%%  %lf %3s left", &left, unit) != 2) left = -1;
    free(line);
    return strcmp(unit, "min") ? left : left * 60;
}

/* The clock of a run on a megabyte of Shakespeare. Its first step looks up all rows. */
static void test_time_left(void) {
    static const double first_step = 0.325, first_evaluation = 0.050;
    static const double training[] = {0.233, 0.228, 0.227, 0.226, 0.233, 0.227,
                                      0.225, 0.224, 0.232, 0.227, 0.228, 0.225};
    static const double evaluation[] = {0.045, 0.045, 0.045, 0.045, 0.035, 0.045,
                                        0.044, 0.044, 0.035, 0.035, 0.034, 0.035};
    enum { EPOCHS = sizeof training / sizeof *training, STEPS = 100, PART = 10 };
    Trainer trainer = {.step = 1, .steps = EPOCHS * STEPS};
    Run run = {.trainer = &trainer,
               .split = STEPS,
               .settings = {.evaluations = 1, .run = {.epochs = EPOCHS, .batch = 1}},
               .state.train_positions = 1,
               .report.evaluation_seconds = first_evaluation};
    double left = 0, worst = 0;
    for (int e = 0; e < EPOCHS; e++) left += training[e] + evaluation[e];
    report_steps(&run, 1, first_step);
    check(seconds_left(&run) < 0, "no time is said before a step was measured");
    for (int e = 0; e < EPOCHS; e++) {
        for (int part = 0; part < STEPS / PART; part++) {
            trainer.step = (size_t)(e * STEPS + (part + 1) * PART);
            report_steps(&run, PART, training[e] * PART / STEPS);
            left -= training[e] * PART / STEPS;
            double error = fabs(seconds_left(&run) - left) / left;
            if (trainer.step * 10 >= trainer.steps && left > 0.5) worst = fmax(worst, error);
        }
        left -= evaluation[e];
        run.report.evaluation_seconds = evaluation[e];
    }
    check(worst <= 0.2, "from a tenth on the time left is within a fifth of the truth: %.2f",
          worst);
}

/* The memory that a run says it takes is about what it takes. With sanitizers it takes more. */
static void test_memory(void) {
#ifndef __SANITIZE_ADDRESS__
#define FOLDER "build/test/report"
    static const char *const runs[] = {
        "-t 1 data/text.txt", "-t 4 --dim 2 --order 2 --rows ngrams,echoes " FOLDER "/text",
        "-t 1 --dim 2 --order 2 --rows ngrams " FOLDER "/text"};
    if (system("mkdir -p " FOLDER
               " && for i in 1 2 3 4 5 6 7 8 9 10; do cat data/text.txt; done > " FOLDER "/text"))
        exit(3);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        char command[200];
        double said = 0, taken;
        snprintf(command, sizeof command, "exec ./train -e 1 --out " FOLDER "/run %s", runs[i]);
        Child child = in_child(run_command, command);
        const char *memory = strstr(child.said, "in memory about ");
        taken = (double)child.memory * 1024 / 1e6;
        if (memory) sscanf(memory, "in memory about %lf MB", &said);
        check(child.status == 0 && said < taken + 5 && said > 0.92 * taken - 10,
              "%s: says about %.1f MB, takes %.1f", runs[i], said, taken);
    }
#endif
}

int main(void) {
    test_widths();
    test_lines();
    test_time_left();
    test_memory();
    return 0;
}
