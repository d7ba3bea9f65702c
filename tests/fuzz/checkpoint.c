/* Any bytes as the checkpoint of a run: refused in words, or the run goes on a step from there. */
#define FUZZ_OWN
#include "track.h"

#include "../../lib/checkpoint.h"

#include <string.h>

static const char text[] =
    "the cat and the dog and the cat sat on the mat and the dog sat on the cat";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    uint8_t ids[sizeof text];
    for (size_t i = 0; i + 1 < sizeof text; i++) ids[i] = (uint8_t)id_of((unsigned char)text[i]);
    static Team *team; /* stays */
    TensorFile file;
    fuzz_begin(bytes, size, 0, 1000000);
    if (!team) team = team_start(1);
    fuzz_begin(bytes, size, 0, 64 * size + 50000000);
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, bytes, size);
    if (!setjmp(fuzz_refused) && !tensors_parse(&file, exact, size)) {
        RowOptions rows = {.order = 3, .min_count = 2, .max_rows = 10};
        RunOptions run = {.dim = 1,
                          .batch = 8,
                          .epochs = 3,
                          .seed = 1,
                          .embedding_lr = 0.1,
                          .linear_lr = 0.1,
                          .final_lr = 1,
                          .deviation = 1};
        Vocabulary vocabulary = vocabulary_list(ids, sizeof text - 1, rows);
        Trainer *trainer = trainer_start(team, &vocabulary, ids, sizeof text - 1, run, NULL);
        Entry input = entry_of("input"); /* it is its own model, too */
        Folder folder = {
            .file = {input, input, input, input, input, input, input, input}};
        State state = {.snapshots = snapshots_start(1)};
        state_resume(&state, trainer, &folder, &file);
        trainer_run(trainer, 2);
    }
    fuzz_end();
    free(exact);
    return 0;
}
