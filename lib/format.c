#include "format.h"

#include "fail.h"

#include <stdio.h>
#include <string.h>

char *grouped(size_t number, char *text) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%zu", number), used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

const char *shown(const char *text, Buffer *buffer) {
    buffer->length = 0;
    buffer_add(buffer, "%s", text);
    mask_controls(buffer->text);
    return buffer->text;
}

char *shell_word(const char *text) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+=@%";
    Buffer word = {0};
    if (*text && !text[strspn(text, plain)]) {
        buffer_add(&word, "%s", text);
        return word.text;
    }
    buffer_add(&word, "'");
    for (; *text; text++) {
        if (*text == '\'')
            buffer_add(&word, "'\\''"); /* ends the quotes, adds ', opens them */
        else
            buffer_bytes(&word, text, 1);
    }
    buffer_add(&word, "'");
    mask_controls(word.text);
    return word.text;
}
