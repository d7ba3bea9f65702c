/* the loss of a saved model, computed again from the file alone by code that shares nothing with
   the program: its own reading of the file, its own search for rows, its own arithmetic in double.

   usage: test_score   trains small models with ./train and compares with their val_loss. */
#include "../check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char printable[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#"
                                "$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c";

static char *read_whole(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(3);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size) exit(3);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

/* One array of the file, found by its name in the header's text. */
typedef struct {
    size_t rows, columns;
    const char *data;
} Array;

static Array find_array(const char *file, const char *name) {
    uint64_t length;
    memcpy(&length, file, 8);
    char key[64];
    snprintf(key, sizeof key, "\"%s\":{", name);
    const char *at = strstr(file + 8, key);
    Array array = {0, 0, NULL};
    if (!at || (size_t)(at - file) > length + 8) return array;
    size_t begin = 0;
    const char *shape = strstr(at, "\"shape\":["), *offsets = strstr(at, "\"data_offsets\":[");
    if (sscanf(shape, "\"shape\":[%zu,%zu]", &array.rows, &array.columns) < 1) exit(3);
    if (sscanf(offsets, "\"data_offsets\":[%zu", &begin) != 1) exit(3);
    array.data = file + 8 + length + begin;
    return array;
}

static double find_number(const char *file, const char *name) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(file + 8, key);
    return at ? strtod(at + strlen(key), NULL) : NAN;
}

static bool word_letter(char c) {
    return c == '_' || c == '\'' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* The row whose right-aligned text in the array is this one, or -1: sorted once, then bisected. */
typedef struct {
    const char *cell;
    size_t row, width;
} Entry;

static int by_cell(const void *a, const void *b) {
    const Entry *x = a, *y = b;
    return memcmp(x->cell, y->cell, x->width);
}

static Entry *sort_entries(Array array) {
    Entry *entries = malloc((array.rows + 1) * sizeof *entries);
    for (size_t i = 0; i < array.rows; i++)
        entries[i] = (Entry){array.data + i * array.columns, i, array.columns};
    if (array.rows) qsort(entries, array.rows, sizeof *entries, by_cell);
    return entries;
}

static long find_entry(const Entry *entries, Array array, const char *text, size_t length) {
    char cell[64] = {0};
    if (length == 0 || length > array.columns) return -1;
    memcpy(cell + array.columns - length, text, length);
    Entry key = {cell, 0, array.columns};
    Entry *found = bsearch(&key, entries, array.rows, sizeof *entries, by_cell);
    return found ? (long)found->row : -1;
}

/* For each place the latest place before it that has the same two characters before it, 0 when
   there is none: a step of searches for longer strings. */
static size_t *places_before(const char *text, size_t length) {
    static size_t latest[128][128];
    size_t *before = calloc(length + 1, sizeof *before);
    memset(latest, 0, sizeof latest);
    for (size_t place = 2; place <= length; place++) {
        size_t *pair = &latest[(unsigned char)text[place - 2]][(unsigned char)text[place - 1]];
        before[place] = *pair;
        *pair = place;
    }
    return before;
}

/* The phrases' texts, as the n-grams have theirs: each is the beginning of the one before and a
   last character. */
static Array phrase_cells(Array pairs) {
    enum { WIDTH = 40 };
    char *cells = calloc(pairs.rows + 1, WIDTH), text[WIDTH];
    for (size_t i = 0; i < pairs.rows; i++) {
        size_t length = (size_t)pairs.data[2 * i];
        text[length - 1] = pairs.data[2 * i + 1];
        memcpy(cells + (i + 1) * WIDTH - length, text, length);
    }
    return (Array){pairs.rows, WIDTH, cells};
}

/* A model's file and a text, with what finding the bags takes. */
typedef struct {
    const char *text;
    size_t length, *before;
    char *plain;
    Array embedding, weight, bias, ngrams, phrases, echoes, columns, counts;
    Entry *ngram_entries, *phrase_entries;
} Reading;

static Reading reading_start(const char *file, const char *text, size_t length) {
    Reading r = {.text = text,
                 .length = length,
                 .before = places_before(text, length),
                 .plain = malloc(length + 1)};
    r.embedding = find_array(file, "embedding.weight");
    r.weight = find_array(file, "linear.weight");
    r.bias = find_array(file, "linear.bias");
    r.ngrams = find_array(file, "ngrams");
    r.phrases = phrase_cells(find_array(file, "phrases"));
    r.echoes = find_array(file, "echoes");
    r.columns = find_array(file, "columns");
    r.counts = find_array(file, "counts");
    r.ngram_entries = sort_entries(r.ngrams);
    r.phrase_entries = sort_entries(r.phrases);
    return r;
}

static void reading_end(Reading *r) {
    free(r->plain);
    free(r->before);
    free((char *)r->phrases.data);
    free(r->ngram_entries);
    free(r->phrase_entries);
}

/* The id of the character above place, of a line feed where the line above is shorter or there
   is none. */
static size_t id_above(const char *text, size_t place) {
    size_t line = place, above;
    while (line > 0 && text[line - 1] != '\n') line--;
    for (above = line ? line - 1 : 0; above > 0 && text[above - 1] != '\n';) above--;
    above += place - line;
    return (size_t)(strchr(printable, above < line ? text[above] : '\n') - printable);
}

/* The rows of a place's bag; returns how many. */
static size_t plain_bag(const Reading *r, size_t place, size_t *on) {
    const char *text = r->text;
    char *plain = r->plain;
    size_t count = 0, used = 0, start = place > 300 ? place - 300 : 0, column = 0;
    if (place == 0) return 0;
    on[count++] = (size_t)(strchr(printable, text[place - 1]) - printable);
    for (size_t k = 2; k <= r->ngrams.columns && k <= place; k++) {
        long row = find_entry(r->ngram_entries, r->ngrams, text + place - k, k);
        if (row < 0) break;
        on[count++] = 100 + (size_t)row;
    }
    for (size_t i = start; r->phrases.rows && i < place; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z'     ? (char)(text[i] + 32)
                 : strchr(" \t\n\r\x0b\x0c", text[i]) ? ' '
                                                      : text[i];
        if (c != ' ' || (used ? plain[used - 1] != ' ' : start > 0)) plain[used++] = c;
    }
    for (size_t i = used, words = 0; i > 0 && words < 2; i--) {
        if (!word_letter(plain[i - 1]) || (i > 1 && word_letter(plain[i - 2]))) continue;
        words++;
        long row = find_entry(r->phrase_entries, r->phrases, plain + i - 1, used - i + 1);
        if (row >= 0) on[count++] = 100 + r->ngrams.rows + (size_t)row;
    }
    size_t group = 100 + r->ngrams.rows + r->phrases.rows;
    for (size_t e = 0; e < r->echoes.rows; e++, group += 100) {
        size_t key = (unsigned char)r->echoes.data[e], size = key;
        if (key == 103) {
            if (place) on[count++] = group + id_above(text, place);
            continue;
        }
        if (key > 100) {
            size_t i = place, words = 0;
            while (i > 0 && words < key - 100) {
                i--;
                words += word_letter(text[i]) && (i == 0 || !word_letter(text[i - 1]));
            }
            size = words == key - 100 ? place - i : 0;
        }
        if (size == 0 || size > 40 || size > place) continue;
        size_t f = place;
        while ((f = size > 1 ? r->before[f] : f - 1) >= size && f > 0 && place - f < 1 << 22) {
            if (memcmp(text + f - size, text + place - size, size)) continue;
            if (key > 100 &&
                !(word_letter(text[f - size]) && (f == size || !word_letter(text[f - size - 1]))))
                continue;
            on[count++] = group + (size_t)(strchr(printable, text[f]) - printable);
            break;
        }
    }
    while (column < 80 && column < place && text[place - 1 - column] != '\n') column++;
    if (r->columns.rows) on[count++] = group + column;
    return count;
}

static double plain_score(const Reading *r, size_t from) {
    size_t dim = r->embedding.columns;
    const float *rows = (const float *)(const void *)r->embedding.data;
    const float *w = (const float *)(const void *)r->weight.data,
                *b = (const float *)(const void *)r->bias.data;
    double total = 0, *h = malloc(dim * sizeof *h);
    for (size_t place = from; place < r->length; place++) {
        size_t on[128], count = plain_bag(r, place, on);
        for (size_t d = 0; d < dim; d++) {
            h[d] = 0;
            for (size_t i = 0; i < count; i++) h[d] += (double)rows[on[i] * dim + d];
        }
        double sum = 0, next = 0;
        for (size_t c = 0; c < 100; c++) {
            double logit = (double)b[c];
            for (size_t d = 0; d < dim; d++) logit += (double)w[c * dim + d] * h[d];
            sum += exp(logit);
            if (printable[c] == r->text[place]) next = logit;
        }
        total += log(sum) - next;
    }
    free(h);
    return total / (double)(r->length - from);
}

/* The counts of rows in groups: in how many bags of the training part each is, whatever the
   epochs and saves. */
static void test_counts(const char *options) {
    enum { LENGTH = 6000 };
    char command[512];
    size_t text_size, model_size, wrong = 0, groups = 0;
    snprintf(command, sizeof command,
             "mkdir -p build/test && head -c %d data/text.txt > build/test/score.txt && ./train -q "
             "--dim 3 --out build/test/score %s build/test/score.txt",
             LENGTH, options);
    if (!check(system(command) == 0, "./train %s", options)) return;
    char *text = read_whole("build/test/score.txt", &text_size),
         *model = read_whole("build/test/score/model.safetensors", &model_size);
    Reading r = reading_start(model, text, text_size);
    uint32_t *count = calloc(r.embedding.rows, sizeof *count);
    for (size_t place = 0; place < (size_t)find_number(model, "train_characters"); place++) {
        size_t on[128];
        for (size_t i = plain_bag(&r, place, on); i > 0; i--) count[on[i - 1]]++;
    }
    for (size_t row = 100 + r.ngrams.rows + r.phrases.rows; row < r.embedding.rows; row++, groups++)
        wrong += memcmp(&count[row], r.counts.data + 4 * row, 4) != 0;
    check(groups > 500 && wrong == 0,
          "%s: %zu counts of echoes and columns are those of the training part, %zu are not",
          options, groups, wrong);
    reading_end(&r);
    free(count);
    free(text);
    free(model);
}

static void compare(const char *options) {
    char command[512];
    snprintf(command, sizeof command, "./train -q -e 1 --out build/test/score %s data/text.txt",
             options);
    if (!check(system(command) == 0, "./train %s", options)) return;
    size_t text_size, model_size;
    char *text = read_whole("data/text.txt", &text_size),
         *model = read_whole("build/test/score/model.safetensors", &model_size);
    Reading reading = reading_start(model, text, text_size);
    double score = plain_score(&reading, (size_t)find_number(model, "train_characters")),
           saved = find_number(model, "val_loss");
    reading_end(&reading);
    check(close_to(score, saved, 1e-5), "%s: val_loss %.6f, from the file alone %.6f", options,
          saved, score);
    snprintf(
        command, sizeof command,
        "./sample --model build/test/score/model.safetensors --score data/text.txt --from %.0f",
        find_number(model, "train_characters"));
    FILE *pipe = popen(command, "r");
    double told = NAN;
    bool read = pipe && fscanf(pipe, "chars %*u nats/char %lf", &told) == 1;
    check(read && pclose(pipe) == 0 && close_to(told, saved, 1e-5),
          "%s: ./sample --score says %.6f", options, told);
    free(text);
    free(model);
}

int main(void) {
    compare("--order 1 --dim 10");
    compare("--order 4 --dim 16 --rows ngrams --min-count 2");
    compare("--dim 13 --seed 7");
    test_counts("-e 1");
    test_counts("-e 3 --save-every 0");
    return 0;
}
