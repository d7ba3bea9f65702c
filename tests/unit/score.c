/* The loss of a saved model, computed again from the file alone by code that shares nothing with
   the program: its own reading of the file, its own search for rows, its own arithmetic in double. */
#include "../check.h"
#include "rows.h"

#define FOLDER "build/test/score"
#define MODEL FOLDER "/model.safetensors"

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

/* A model's file and its text, with what finding the bags takes. */
typedef struct {
    char *text, *file, *plain;
    size_t length, split, *before;
    Array embedding, weight, bias, ngrams, phrases, echoes, columns, counts;
    Entry *ngram_entries, *phrase_entries;
} Reading;

/* Trains a model on the first `most` characters of data/text.txt, and reads both. */
static bool reading_start(Reading *r, const char *options, size_t most) {
    char command[512];
    size_t size;
    snprintf(command, sizeof command,
             "mkdir -p " FOLDER " && head -c %zu data/text.txt > " FOLDER "/text && "
             "./train -q --out " FOLDER " %s " FOLDER "/text",
             most, options);
    if (!check(system(command) == 0, "./train %s", options)) return false;
    r->text = read_whole(FOLDER "/text", &r->length);
    r->file = read_whole(MODEL, &size);
    r->plain = malloc(r->length + 1);
    r->split = (size_t)find_number(r->file, "train_characters");
    r->before = places_before(r->text, r->length);
    r->embedding = find_array(r->file, "embedding.weight");
    r->weight = find_array(r->file, "linear.weight");
    r->bias = find_array(r->file, "linear.bias");
    r->ngrams = find_array(r->file, "ngrams");
    r->phrases = phrase_cells(find_array(r->file, "phrases"));
    r->echoes = find_array(r->file, "echoes");
    r->columns = find_array(r->file, "columns");
    r->counts = find_array(r->file, "counts");
    r->ngram_entries = sort_entries(r->ngrams);
    r->phrase_entries = sort_entries(r->phrases);
    return true;
}

static void reading_end(Reading *r) {
    void *const parts[] = {r->text,   r->file,          r->plain,
                           r->before, r->ngram_entries, r->phrase_entries};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) free(parts[i]);
    free((char *)r->phrases.data);
}

static size_t id_of(int character) { return (size_t)(strchr(printable, character) - printable); }

/* The rows of a place's bag; returns how many. */
static size_t plain_bag(const Reading *r, size_t place, size_t *on) {
    enum { BACK = 300 }; /* more than two words have */
    const char *text = r->text;
    size_t count = 0, start = place > BACK ? place - BACK : 0, group = 100 + r->ngrams.rows;
    if (place == 0) return 0;
    on[count++] = id_of(text[place - 1]);
    for (size_t k = 2; k <= r->ngrams.columns && k <= place; k++) {
        long row = find_entry(r->ngram_entries, r->ngrams, text + place - k, k);
        if (row < 0) break;
        on[count++] = 100 + (size_t)row;
    }
    size_t length = make_plain(text + start, place - start, r->plain);
    for (int words = 1; r->phrases.rows && words <= 2; words++) {
        size_t first = words_back(r->plain, length, words);
        if (first == SIZE_MAX) break;
        long row = find_entry(r->phrase_entries, r->phrases, r->plain + first, length - first);
        if (row >= 0) on[count++] = group + (size_t)row;
    }
    group += r->phrases.rows;
    for (size_t e = 0; e < r->echoes.rows; e++) {
        int key = (unsigned char)r->echoes.data[e], number;
        int follower = slow_echo(text, r->before, place, key, &number);
        if (follower >= 0) on[count++] = group + 100 * (size_t)number + id_of(follower);
        group += slow_width(key);
    }
    if (r->columns.rows) on[count++] = group + slow_column(text, place);
    return count;
}

/* The loss on the validation part. */
static double plain_score(const Reading *r) {
    size_t dim = r->embedding.columns;
    const float *rows = (const float *)(const void *)r->embedding.data;
    const float *w = (const float *)(const void *)r->weight.data,
                *b = (const float *)(const void *)r->bias.data;
    double total = 0, *h = malloc(dim * sizeof *h);
    for (size_t place = r->split; place < r->length; place++) {
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
    return total / (double)(r->length - r->split);
}

/* The counts of rows in groups: in how many bags of the training part each is, whatever the
   epochs and saves. */
static void test_counts(const char *options) {
    Reading r;
    size_t wrong = 0, groups = 0;
    if (!reading_start(&r, options, 6000)) return;
    uint32_t *count = calloc(r.embedding.rows, sizeof *count);
    for (size_t place = 0; place < r.split; place++) {
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
}

static void compare(const char *options) {
    Reading r;
    if (!reading_start(&r, options, 1000000000)) return;
    double score = plain_score(&r), saved = find_number(r.file, "val_loss"), told = NAN;
    check(close_to(score, saved, 1e-5), "%s: val_loss %.6f, from the file alone %.6f", options,
          saved, score);
    char command[512];
    snprintf(command, sizeof command,
             "./sample --model " MODEL " --score " FOLDER "/text --from %zu", r.split);
    FILE *pipe = popen(command, "r");
    bool read = pipe && fscanf(pipe, "chars %*u nats/char %lf", &told) == 1;
    check(read && pclose(pipe) == 0 && close_to(told, saved, 1e-5),
          "%s: ./sample --score says %.6f", options, told);
    reading_end(&r);
}

int main(void) {
    compare("-e 1 --order 1 --dim 10");
    compare("-e 1 --order 4 --dim 16 --rows ngrams --min-count 2");
    compare("-e 1 --dim 13 --seed 7");
    test_counts("-e 1 --dim 3");
    test_counts("-e 3 --dim 3 --save-every 0");
    return 0;
}
