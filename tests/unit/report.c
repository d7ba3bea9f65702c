/* What a run says: the live line at every width, times and speeds; why nothing was learned. */
#include "../../lib/report.h"
#include "../check.h"

#include <stdlib.h>
#include <string.h>

static const Progress half = {.epoch = 3,
                              .epochs = 4,
                              .batch = 256,
                              .done = 0.5,
                              .train_loss = 1.25,
                              .best_loss = 1.5,
                              .steps_left = 1000,
                              .evaluations_left = 8};

/* Is the line of this progress and pace at this width what is expected? */
static bool is_line(const Progress *progress, Pace pace, size_t width, const char *expected) {
    char *line = progress_line(progress, &pace, width);
    bool same = strcmp(line, expected) == 0;
    if (!same) printf("note the line is \"%s\"\n", line);
    free(line);
    return same;
}

static void test_widths(void) {
    Pace pace = {.seconds = 10, .steps = 1000, .evaluation_seconds = 0.5};
    bool fits = true, grows = true;
    size_t last = 0;
    for (size_t width = 4; width <= 300; width++) {
        char *line = progress_line(&half, &pace, width);
        fits = fits && strlen(line) <= width && strncmp(line, " 50%", 4) == 0;
        grows = grows && (strlen(line) >= last || width == 60);
        last = strlen(line);
        free(line);
    }
    check(fits, "the live line begins with the share done and fits, from 4 to 300 columns");
    check(grows, "and says more the more room there is");
    check(is_line(&half, pace, 19, " 50%  14 s left"), "20 columns: the share and the time left");
    check(is_line(&half, pace, 79,
                  " 50% [##########          ]  14 s left  train 1.250  best val 1.500  epoch 3/4"),
          "80 columns: all but the speed");
    check(is_line(&half, pace, 119,
                  " 50% [##########          ]  14 s left  train 1.250  best val 1.500  epoch 3/4"
                  "  25,600 chars/s"),
          "120 columns: the speed as well");
}

static void test_numbers(void) {
    Progress progress = half;
    progress.evaluations_left = 0;
    check(is_line(&half, (Pace){0}, 30, " 50%  train 1.250  epoch 3/4"),
          "no time and no speed before there is a measurement");
    check(is_line(&progress, (Pace){.seconds = 1000, .steps = 1000}, 19, " 50%  17 min left"),
          "minutes from ten minutes on");
    check(is_line(&progress, (Pace){.seconds = 50000, .steps = 1000}, 19, " 50%  14 h left"),
          "hours from ten hours on");
    check(is_line(&progress, (Pace){.seconds = 100, .steps = 1}, 119,
                  " 50% [##########          ]  28 h left  train 1.250  best val 1.500  epoch 3/4"
                  "  2 chars/s"),
          "a few characters a second are not 0.00 M");
    check(is_line(&progress, (Pace){.seconds = 1, .steps = 10000}, 119,
                  " 50% [##########          ]  0 s left  train 1.250  best val 1.500  epoch 3/4"
                  "  2.56 M chars/s"),
          "millions of characters a second");
}

int main(void) {
    test_widths();
    test_numbers();
    return 0;
}
