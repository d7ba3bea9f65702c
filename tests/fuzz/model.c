/* Any bytes as a model: refused in words, or its rows and those of a stream are all there. */
#define FUZZ_OWN
#include "track.h"

#include "../../lib/checkpoint.h"
#include "../../lib/snapshots.h"

#include <string.h>

static void use(SavedModel *saved) {
    static const char text[] = "the cat sat on the mat\nand 10 dogs, too: the cat sat on the";
    char name[ROW_NAME], row_name_text[MAX_PHRASE];
    uint32_t rows[MAX_BAG];
    float h[MAX_DIM], logits[LOGITS];
    Stream *stream = stream_start(&saved->vocabulary);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        stream_push(stream, (uint8_t)id_of((unsigned char)text[i]));
        size_t count = stream_rows(stream, rows);
        for (size_t r = 0; r < count; r++)
            if (rows[r] >= saved->model.rows) abort();
        embedding_forward(&saved->model, rows, count, h);
    }
    linear_forward(&saved->model, h, logits);
    stream_end(stream);
    for (uint32_t row = 0; row < saved->vocabulary.rows; row++) {
        if (row_text(&saved->vocabulary, row, row_name_text) > MAX_PHRASE) abort();
        if (strlen(row_name(&saved->vocabulary, row, name)) >= ROW_NAME) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    /* a stream has at most 10 tables of echoes, 8 KB each at first */
    fuzz_begin(bytes, size, 0, 64 * size + 4000000);
    if (!setjmp(fuzz_refused)) {
        SavedModel saved = model_open("input");
        use(&saved);
        model_close(&saved);
    }
    fuzz_end();
    fuzz_begin(bytes, size, 0, 64 * size + 2000000);
    if (!setjmp(fuzz_refused)) {
        Snapshots snapshots = snapshots_start(3);
        TensorFile none = {0};
        snapshots_load(&snapshots, entry_of("input"), &none);
        if (snapshots.count > snapshots.capacity) abort();
        snapshots_free(&snapshots);
    }
    fuzz_end();
    return 0;
}
