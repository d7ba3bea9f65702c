/* Any bytes as loss.csv: refused, or whole rows up to the step asked for. */
#define FUZZ_OWN
#include "track.h"

#include "../../lib/report.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    Log rows;
    fuzz_begin(bytes, size, 0, 64 * size + 100000);
    if (log_load(&rows, "input", 1000)) {
        size_t lines = 0;
        for (size_t i = 0; i < rows.length; i++) {
            lines += rows.text[i] == '\n';
            if (!rows.text[i]) abort();
        }
        if (rows.text[rows.length - 1] != '\n' || lines != rows.count + 1 || !isfinite(rows.seconds)) abort();
    }
    log_free(&rows);
    fuzz_end();
    return 0;
}
