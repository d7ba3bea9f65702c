#include "format.h"

#include "fail.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

char *grouped(size_t number, char *text) {
    if (number < 1000) {
        sprintf(text, "%zu", number);
    } else {
        grouped(number / 1000, text);
        sprintf(text + strlen(text), ",%03zu", number % 1000);
    }
    return text;
}

char *counted(size_t number, const char *things, char *text) {
    char digits[32];
    size_t length = strlen(things);
    const char *ending = things + length - 3;
    if (number == 1) length -= strcmp(ending, "oes") && strcmp(ending, "hes") ? 1 : 2;
    snprintf(text, 64, "%s %.*s", grouped(number, digits), (int)length, things);
    return text;
}

const char *shown(const char *text, Buffer *buffer) {
    buffer->length = 0;
    buffer_add(buffer, "%s", text);
    mask_controls(buffer->text);
    return buffer->text;
}

void print_wrapped(FILE *file, const char *line, size_t width, size_t indent) {
    size_t room = width, least = indent;
    while (strlen(line) > room) {
        size_t cut = room;
        while (cut > least && line[cut] != ' ') cut--;
        if (cut <= least) cut = room;
        fprintf(file, "%.*s\n%*s", (int)cut, line, (int)indent, "");
        line += cut + strspn(line + cut, " ");
        room = width > indent ? width - indent : 1;
        least = 0;
    }
    fprintf(file, "%s\n", line);
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
    for (; *text; text++) /* '\'' ends the quotes, adds ', and opens them again */
        buffer_bytes(&word, *text == '\'' ? "'\\''" : text, *text == '\'' ? 4 : 1);
    buffer_add(&word, "'");
    mask_controls(word.text);
    return word.text;
}

char *text_escaped(const char *text) {
    Buffer escaped = {0};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = strlen(text), size;
    buffer_add(&escaped, "%s", "");
    for (size_t i = 0; i < length; i += size) {
        uint32_t code;
        size = utf8_read(bytes + i, length - i, &code);
        if (size == 0) {
            buffer_add(&escaped, "\\x%02x", bytes[i]);
            size = 1;
            continue;
        }
        if (text[i] == '\\') buffer_bytes(&escaped, "\\", 1);
        buffer_bytes(&escaped, text + i, size);
    }
    return escaped.text;
}

char *text_unescaped(const char *text) {
    static const char letters[] = "ntr\\\"", bytes[] = "\n\t\r\\\"";
    Buffer plain = {0};
    buffer_add(&plain, "%s", "");
    while (*text) {
        char hex[3] = "", byte = *text++;
        if (byte == '\\' && *text == 'x') snprintf(hex, sizeof hex, "%s", text + 1);
        bool code = strspn(hex, "0123456789abcdefABCDEF") == 2 && strcmp(hex, "00") != 0;
        const char *letter = byte == '\\' && *text ? strchr(letters, *text) : NULL;
        if (code) byte = (char)strtoul(hex, NULL, 16);
        if (letter) byte = bytes[letter - letters];
        text += code ? 3 : letter != NULL;
        buffer_bytes(&plain, &byte, 1);
    }
    return plain.text;
}
