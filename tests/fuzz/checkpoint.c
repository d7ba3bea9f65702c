/* Any bytes as the checkpoint of a run: refused in words, or the run goes on a step from there. */
#define FUZZ_OWN
#include "track.h"

#include "../../lib/checkpoint.h"
#include "../tiny.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const RowOptions rows = {.order = 3, .min_count = 2, .max_rows = 10};
    static Team *team; /* stays */
    uint8_t ids[TINY];
    TensorFile file;
    tiny_ids(ids);
    fuzz_begin(bytes, size, 0, 1000000);
    if (!team) team = team_start(1);
    fuzz_begin(bytes, size, 0, 64 * size + 50000000);
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, bytes, size);
    if (!setjmp(fuzz_refused) && !tensors_parse(&file, exact, size)) {
        file.path = "input";
        Vocabulary vocabulary = vocabulary_list(ids, TINY, rows);
        Trainer *trainer = trainer_start(team, &vocabulary, ids, TINY, tiny_run, NULL);
        Folder folder;
        for (int i = 0; i < 2 * PARTIAL; i++)
            folder.file[i] = entry_of("input"); /* its own model */
        State state = {.snapshots = snapshots_start(1)};
        state_resume(&state, trainer, &folder, &file);
        trainer_run(trainer, 2);
    }
    fuzz_end();
    free(exact);
    return 0;
}
