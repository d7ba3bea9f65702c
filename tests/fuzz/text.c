/* Any bytes as a text: the same characters whether it comes at once or in parts, and every byte accounted for. */
#define FUZZ_OWN
#include "track.h"

#include "../../lib/characters.h"
#include "../../lib/text.h"

#include <string.h>

static bool read_in_parts(const uint8_t *bytes, size_t size, size_t part, bool strict, Text *text) {
    fuzz_begin(bytes, size, part, 8 * size + 16000000);
    if (setjmp(fuzz_refused)) return false;
    *text = text_read("input", strict);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (!size) return 0;
    size_t part = bytes[0] % 7u + 1;
    bytes++, size--;
    for (int strict = 0; strict < 2; strict++) {
        Text whole, parts;
        bool good = read_in_parts(bytes, size, 0, strict, &whole);
        uint8_t *kept = NULL;
        if (good) {
            kept = malloc(whole.length + 1);
            memcpy(kept, whole.ids, whole.length);
            size_t left_out = 0;
            for (int value = 0; value < 256; value++) left_out += whole.counts[value];
            if (whole.bytes != size || whole.length > size || left_out != whole.left_out || (strict && left_out)) abort();
            for (size_t i = 0; i < whole.length; i++)
                if (whole.ids[i] >= CHARACTERS) abort();
            text_notice(&whole, "input");
        }
        fuzz_end();
        if (read_in_parts(bytes, size, part, strict, &parts) != good) abort();
        if (good && (parts.length != whole.length || memcmp(parts.ids, kept, whole.length) || parts.look_alikes != whole.look_alikes ||
                     parts.line_ends != whole.line_ends || memcmp(parts.counts, whole.counts, sizeof whole.counts) ||
                     (whole.left_out && parts.first_offset != whole.first_offset)))
            abort();
        fuzz_end();
        free(kept);
    }
    return 0;
}
