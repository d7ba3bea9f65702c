/* Any bytes as loss.csv: refused, or whole rows. */
#define FUZZ_OWN
#include "track.h"

#include "../../lib/log.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    Log rows;
    fuzz_begin(bytes, size, 0, 64 * size + 100000);
    if (log_load(&rows, entry_of("input"))) {
        for (size_t i = 0; i < rows.count; i++)
            if (rows.rows[i].step > SIZE_MAX / 2 || !isfinite(rows.rows[i].seconds)) abort();
    }
    log_free(&rows);
    fuzz_end();
    return 0;
}
