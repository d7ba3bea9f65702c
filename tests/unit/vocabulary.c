/* the rows of every context against their definitions, found the slow way. */
#include "../../lib/memory.h"
#include "../../lib/step.h"
#include "../../lib/text.h"
#include "../check.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH = 3000, TRAINED = 2500 };

/* How often a string stands in text [length], as a plain search finds it. */
static uint32_t occurrences(const char *text, size_t length, const char *string, size_t size) {
    uint32_t count = 0;
    for (size_t i = 0; i + size <= length; i++) count += memcmp(text + i, string, size) == 0;
    return count;
}

static bool word_letter(char c) {
    return c == '_' || c == '\'' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool starts_word(const char *text, size_t i) {
    return word_letter(text[i]) && (i == 0 || !word_letter(text[i - 1]));
}

/* Small letters, white space runs as one space, none at the start; where[i] is the plain length before character i. */
static size_t make_plain(const char *text, size_t length, char *plain) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a')
                 : text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r') ? ' '
                                                                          : text[i];
        if (c != ' ' || (used && plain[used - 1] != ' ')) plain[used++] = c;
    }
    return used;
}

/* How often a phrase begins at the start of a word and lies within that word and the next. */
static uint32_t phrase_occurrences(const char *plain, size_t length, const char *phrase,
                                   size_t size) {
    uint32_t count = 0;
    for (size_t i = 0; i + size <= length; i++) {
        if (!starts_word(plain, i) || memcmp(plain + i, phrase, size)) continue;
        int words = 0;
        for (size_t j = i; j < i + size; j++) words += starts_word(plain, j);
        count += words <= PHRASE_WORDS;
    }
    return count;
}

/* The character above place, a newline where the line above is shorter or there is none. */
static int slow_above(const char *text, size_t place) {
    size_t line = place, above;
    while (line > 0 && text[line - 1] != '\n') line--;
    if (line == 0) return '\n';
    above = line - 1;
    while (above > 0 && text[above - 1] != '\n') above--;
    above += place - line;
    return above < line ? (unsigned char)text[above] : '\n';
}

/* The character after the key's last stand before place, or -1. */
static int slow_echo(const char *text, size_t place, int key) {
    size_t length = (size_t)key;
    if (key == ECHO_ABOVE) return place == 0 ? -1 : slow_above(text, place);
    if (key > ECHO_WORDS) {
        size_t start = place;
        for (int words = key - ECHO_WORDS; words > 0; words -= starts_word(text, start))
            if (start-- == 0) return -1;
        length = place - start;
    }
    if (length == 0 || length > place || length > MAX_ECHO_KEY) return -1;
    for (size_t found = place - 1; found >= length && place - found < ECHO_WINDOW; found--)
        if (!memcmp(text + found - length, text + place - length, length) &&
            (key < ECHO_WORDS || starts_word(text, found - length)))
            return (unsigned char)text[found];
    return -1;
}

typedef struct {
    uint32_t rows[MAX_BAG];
    size_t count;
} Expected;

/* The rows of a place by definition, in the order of bag_rows. A string has a row when it stands often enough, and
   all shorter ones in its chain stand at least twice. */
static Expected slow_rows(const Vocabulary *vocabulary, const char *text, size_t place) {
    Expected expected = {{0}, 0};
    uint8_t ids[MAX_PHRASE + 1];
    uint32_t chain[MAX_ORDER];
    size_t known = 0, least = vocabulary->options.min_count;
    if (place == 0) return expected;
    for (size_t k = 1; k <= (size_t)vocabulary->options.order && k <= place; k++) {
        if (k > 1 && occurrences(text, TRAINED, text + place - k, k) < least) break;
        if (k > 1 && occurrences(text, TRAINED, text + place - k + 1, k - 1) < 2) break;
        for (size_t i = 0; i < k; i++) ids[i] = (uint8_t)id_of((unsigned char)text[place - k + i]);
        if ((chain[known++] = string_row(vocabulary, NGRAM_ROWS, ids, k)) == NO_ROW) break;
    }
    while (known > 0) expected.rows[expected.count++] = chain[--known];
    char *plain = allocate(LENGTH, 1, "test"), *trained = allocate(LENGTH, 1, "test");
    size_t length = make_plain(text, place, plain),
           trained_length = make_plain(text, TRAINED, trained), start = length;
    for (int w = 0; vocabulary->options.phrases && w < PHRASE_WORDS && start > 0; w++) {
        do start--;
        while (start > 0 && !starts_word(plain, start));
        if (!starts_word(plain, start)) break;
        size_t size = length - start;
        if (size > MAX_PHRASE ||
            phrase_occurrences(trained, trained_length, plain + start, size) < least)
            continue;
        if (size > 1 && phrase_occurrences(trained, trained_length, plain + start, size - 1) < 2)
            continue;
        for (size_t i = 0; i < size; i++) ids[i] = (uint8_t)id_of((unsigned char)plain[start + i]);
        expected.rows[expected.count++] = string_row(vocabulary, PHRASE_ROWS, ids, size);
    }
    free(plain);
    free(trained);
    for (int e = 0; e < vocabulary->options.echoes; e++) {
        int follower = slow_echo(text, place, vocabulary->options.echo_keys[e]);
        if (follower >= 0)
            expected.rows[expected.count++] =
                vocabulary->end[PHRASE_ROWS] +
                (uint32_t)(e * CHARACTERS + id_of((unsigned char)follower));
    }
    size_t column = 0;
    while (column < COLUMNS - 1 && column < place && text[place - 1 - column] != '\n') column++;
    if (vocabulary->options.columns)
        expected.rows[expected.count++] = vocabulary->end[ECHO_ROWS] + (uint32_t)column;
    return expected;
}

/* A number for one context and what comes next; that of a batch is their sum, so their order is free. */
static uint64_t hash_of(const uint32_t *rows, size_t count, uint8_t next) {
    uint64_t hash = next + 1;
    for (size_t i = 0; i < count; i++) hash = (hash + rows[i]) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* Batches of positions from anywhere: nothing is lost, each row is listed once, and with the contexts that have it on. */
static void test_batches(const Vocabulary *vocabulary, const Bags *bags) {
    static const size_t sizes[] = {1, 2, 31, 64, 200, 1000};
    uint32_t state = 1, *mark = allocate(vocabulary->rows, sizeof *mark, "test");
    size_t lost = 0, listed = 0;
    for (size_t round = 0; round < 60; round++) {
        size_t count = sizes[round % 6], rows_wrong = 0;
        uint64_t positions[1000], expected = 0, got = 0;
        for (size_t b = 0; b < count; b++) {
            state = state * 1664525u + 1013904223u;
            uint32_t i = round < 6 ? (uint32_t)b : (state >> 8) % (uint32_t)bags->count,
                     rows[MAX_BAG]; /* from the start at first: a context without rows */
            positions[b] = position(vocabulary, bags, i, i);
            expected += hash_of(
                rows,
                bag_rows(vocabulary, bags->ngram[i], bags->beside ? &bags->beside[i] : NULL, rows),
                bags->targets[i]);
        }
        SortedBatch sorted = batch_allocate(count, largest_bag(vocabulary));
        const Batch *batch = &sorted.batch;
        batch_fill(&sorted, vocabulary, bags->beside, positions, count, mark);
        for (size_t b = 0; b < batch->bags; b++)
            for (uint32_t n = batch->target_offsets[b]; n < batch->target_offsets[b + 1]; n++)
                got += hash_of(batch->indices + batch->offsets[b],
                               batch->offsets[b + 1] - batch->offsets[b], batch->targets[n]);
        lost += got != expected || batch->target_offsets[batch->bags] != count ||
                batch->positions != count;
        bool *seen = allocate(vocabulary->rows, sizeof *seen, "test");
        size_t shared = 0;
        for (size_t u = 0; u < batch->distinct; u++) {
            uint32_t first = sorted.bag_offsets[u], last = sorted.bag_offsets[u + 1],
                     positions_with = 0;
            rows_wrong += seen[batch->rows[u]];
            seen[batch->rows[u]] = true;
            if (last - first > 1)
                rows_wrong += shared >= sorted.shared_rows || sorted.shared[shared++] != u;
            for (uint32_t w = first; w < last; w++) {
                size_t b = sorted.bags[w], times = 0;
                positions_with += batch->target_offsets[b + 1] - batch->target_offsets[b];
                for (uint32_t i = batch->offsets[b]; i < batch->offsets[b + 1]; i++)
                    times += batch->indices[i] == batch->rows[u] && sorted.numbers[i] == u;
                rows_wrong += times != 1 || (w > first && sorted.bags[w - 1] >= b);
            }
            rows_wrong += positions_with != batch->frequency[u];
        }
        listed += rows_wrong || shared != sorted.shared_rows ||
                  sorted.bag_offsets[batch->distinct] != batch->offsets[batch->bags];
        free(seen);
        batch_free(&sorted);
    }
    check(lost == 0,
          "order %d, min-count %u: batches have the contexts and characters of their positions",
          vocabulary->options.order, (unsigned)vocabulary->options.min_count);
    check(listed == 0, "and list each row once, with the contexts that have it on (%zu wrong)",
          listed);
    free(mark);
}

static void test_rows(const uint8_t *ids, RowOptions options, int members) {
    char text[LENGTH];
    for (size_t i = 0; i < LENGTH; i++) text[i] = character_of(ids[i]);
    Team *team = team_start(members);
    Vocabulary vocabulary = vocabulary_list(ids, TRAINED, options);
    Bags bags = bags_find(team, &vocabulary, ids, 0, LENGTH),
         tail = bags_find(team, &vocabulary, ids, TRAINED, LENGTH - TRAINED);
    Stream *stream = stream_start(&vocabulary);
    size_t wrong = 0, differs = 0, streams = 0, on = 0, most = 0;
    for (size_t i = 0; i < LENGTH; i++) {
        uint32_t rows[MAX_BAG], others[MAX_BAG];
        size_t count =
            bag_rows(&vocabulary, bags.ngram[i], bags.beside ? &bags.beside[i] : NULL, rows);
        Expected expected = slow_rows(&vocabulary, text, i);
        bool same = count == expected.count && !memcmp(rows, expected.rows, count * sizeof *rows);
        if (!same && wrong++ == 0) { /* show the first */
            char name[ROW_NAME];
            printf("note context %zu has", i);
            for (size_t r = 0; r < count; r++) printf(" %s", row_name(&vocabulary, rows[r], name));
            printf("\nnote but should have");
            for (size_t r = 0; r < expected.count; r++)
                printf(" %s", expected.rows[r] == NO_ROW
                                  ? "(none)"
                                  : row_name(&vocabulary, expected.rows[r], name));
            printf("\n");
        }
        if (i >= TRAINED)
            differs += bag_rows(&vocabulary, tail.ngram[i - TRAINED],
                                tail.beside ? &tail.beside[i - TRAINED] : NULL, others) != count ||
                       memcmp(rows, others, count * sizeof *rows);
        streams +=
            stream_rows(stream, others) != count || memcmp(rows, others, count * sizeof *rows);
        stream_push(stream, ids[i]);
        on += count;
        most = count > most ? count : most;
    }
    check(most <= largest_bag(&vocabulary) && largest_bag(&vocabulary) <= MAX_BAG,
          "order %d, min-count %u: %zu rows on at most, of %zu foreseen", options.order,
          (unsigned)options.min_count, most, largest_bag(&vocabulary));
    check(wrong == 0,
          "order %d, min-count %u: rows of %d contexts as defined, %.1f on average (%zu differ)",
          options.order, (unsigned)options.min_count, LENGTH, (double)on / LENGTH, wrong);
    check(differs == 0,
          "order %d, min-count %u: a stretch of the text has the rows that the whole has",
          options.order, (unsigned)options.min_count);
    check(streams == 0, "order %d, min-count %u: character by character the same rows are on",
          options.order, (unsigned)options.min_count);
    stream_end(stream);
    test_batches(&vocabulary, &bags);

    bool named = true;
    char name[ROW_NAME], string[MAX_PHRASE];
    for (uint32_t row = 0; row < vocabulary.rows; row++) {
        uint8_t back[MAX_PHRASE];
        size_t length = row_text(&vocabulary, row, string);
        for (size_t i = 0; i < length; i++) back[i] = (uint8_t)id_of((unsigned char)string[i]);
        if (length)
            named &= row == string_row(&vocabulary, row_kind(&vocabulary, row), back, length);
        named &= strlen(row_name(&vocabulary, row, name)) > 0;
    }
    check(named, "order %d, min-count %u: each string's row is found by its text", options.order,
          (unsigned)options.min_count);
    bags_free(&bags);
    bags_free(&tail);
    vocabulary_free(&vocabulary);
    team_end(team);
}

static void test_cap(const Text *text) {
    Team *team = team_start(2);
    RowOptions options = {.order = 6, .min_count = 1, .max_rows = 5000, .phrases = true};
    Vocabulary vocabulary = vocabulary_list(text->ids, text->length, options);
    bool frequent = true;
    for (uint32_t row = CHARACTERS; row < vocabulary.end[PHRASE_ROWS]; row++)
        frequent &= vocabulary.count[row] >= vocabulary.min_count;
    check(vocabulary.end[PHRASE_ROWS] - CHARACTERS <= 5000 && vocabulary.end[PHRASE_ROWS] > 4000 &&
              vocabulary.min_count > 1 && frequent,
          "max_rows 5000 keeps the %u strings seen at least %u times",
          (unsigned)vocabulary.end[PHRASE_ROWS] - CHARACTERS, (unsigned)vocabulary.min_count);
    options.max_rows = vocabulary.end[PHRASE_ROWS] - CHARACTERS; /* just enough for these */
    Vocabulary same = vocabulary_list(text->ids, text->length, options);
    options.max_rows--;
    Vocabulary fewer = vocabulary_list(text->ids, text->length, options);
    check(same.min_count == vocabulary.min_count && same.rows == vocabulary.rows &&
              fewer.min_count == vocabulary.min_count + 1 && fewer.rows < vocabulary.rows,
          "max_rows of just as many keeps them all, one less does not");
    vocabulary_free(&same);
    vocabulary_free(&fewer);
    vocabulary_free(&vocabulary);
    team_end(team);
}

/* A key that occurred ECHO_WINDOW - 1 characters before has an echo, one character further back it has none. */
static void test_window(void) {
    enum { KEY = 12, FIRST = 50, SIZE = FIRST + ECHO_WINDOW + 1 };
    Team *team = team_start(1);
    RowOptions options = {
        .order = 1, .min_count = 1, .max_rows = UINT32_MAX, .echoes = 1, .echo_keys = {KEY}};
    uint8_t *ids = allocate(SIZE, 1, "test"), followers[2];
    uint32_t state = 1;
    for (size_t i = 0; i < SIZE; i++) {
        state = state * 1664525u + 1013904223u;
        ids[i] = (uint8_t)((state >> 24) % 26);
    }
    for (uint8_t i = 0; i < KEY; i++) ids[FIRST - KEY + i] = 40 + i; /* capitals: nowhere else */
    Vocabulary vocabulary = vocabulary_list(ids, FIRST, options);
    for (int further = 0; further < 2; further++) {
        size_t place = FIRST + ECHO_WINDOW - 1 + (size_t)further;
        memcpy(ids + place - KEY, ids + FIRST - KEY, KEY);
        Bags bags = bags_find(team, &vocabulary, ids, place, 1);
        followers[further] = bags.beside[0].member[0];
        bags_free(&bags);
        ids[place - 1] = 0;
    }
    check(followers[0] == ids[FIRST] && followers[1] == NO_MEMBER,
          "echoes reach back less than %d characters", ECHO_WINDOW);
    vocabulary_free(&vocabulary);
    free(ids);
    team_end(team);
}

/* The bags of a part are those that the whole text has there, wherever the part begins. */
static void test_parts(const Text *text, RowOptions options) {
    enum { WHOLE = 40000, PART = 700, STRIDE = 3331 };
    Team *team = team_start(2);
    Vocabulary vocabulary = vocabulary_list(text->ids, 5000, options);
    Bags whole = bags_find(team, &vocabulary, text->ids, 0, WHOLE);
    size_t wrong = 0;
    for (size_t first = 1; first + PART <= WHOLE; first += STRIDE) {
        Bags part = bags_find(team, &vocabulary, text->ids, first, PART);
        wrong += memcmp(part.ngram, whole.ngram + first, PART * sizeof *part.ngram) ||
                 memcmp(part.beside, whole.beside + first, PART * sizeof *part.beside);
        bags_free(&part);
    }
    check(wrong == 0, "parts of a text have the rows that the whole has, %zu have not", wrong);
    bags_free(&whole);
    vocabulary_free(&vocabulary);
    team_end(team);
}

/* Rows of two vocabularies are the same when their names are. */
static void test_same_rows(const Text *text, RowOptions options) {
    RowOptions others = options;
    others.order = 3;
    for (int e = 0; e < options.echoes; e++)
        others.echo_keys[e] = options.echo_keys[options.echoes - 1 - e];
    others.echo_keys[0] = 7;
    Vocabulary here = vocabulary_list(text->ids, 3000, options);
    Vocabulary there = vocabulary_list(text->ids + 2000, 3000, others);
    size_t wrong = 0, found[ROW_KINDS] = {0};
    for (uint32_t row = 0; row < there.rows; row++) {
        char name[ROW_NAME], other[ROW_NAME];
        row_name(&there, row, name);
        uint32_t same = same_row(&here, &there, row);
        uint32_t named = named_row(&here, name);
        if (named != NO_ROW && strcmp(row_name(&here, named, other), name)) named = NO_ROW;
        wrong += same != named;
        if (same != NO_ROW) found[row_kind(&there, row)]++;
    }
    bool all = true;
    for (int kind = 0; kind < ROW_KINDS; kind++) all &= found[kind] >= 81;
    check(wrong == 0 && all && found[NGRAM_ROWS] < here.end[NGRAM_ROWS] - CHARACTERS,
          "rows of another vocabulary are found by what they stand for, %zu are not", wrong);
    vocabulary_free(&here);
    vocabulary_free(&there);
}

/* Words and lines of hyphens around MAX_PHRASE long, as programs and tables have them. */
static void make_ruled(uint8_t *ids) {
    static const char *words[] = {"foo", "it's", "x_1", "Zed"},
                      *gaps[] = {" ", "\n", " \n  ", ", "};
    uint32_t state = 1;
    for (size_t used = 0; used < LENGTH;) {
        char piece[128];
        state = state * 1664525u + 1013904223u;
        unsigned choice = state >> 16;
        int hyphens = choice / 16 % 3 ? 0 : 34 + (int)(choice / 64 % 10);
        int length = sprintf(piece, "%s%s%.*s", words[choice % 4], gaps[choice / 4 % 4], hyphens,
                             "------------------------------------------------");
        for (int i = 0; i < length && used < LENGTH; i++)
            ids[used++] = (uint8_t)id_of((unsigned char)piece[i]);
    }
}

int main(void) {
    Text text = text_read("data/text.txt", true);
    RowOptions all = {
        .order = 7,
        .min_count = 1,
        .max_rows = UINT32_MAX,
        .phrases = true,
        .columns = true,
        .echoes = 11,
        .echo_keys = {2, 3, 4, 6, 8, 12, 20, 32, ECHO_WORDS + 1, ECHO_WORDS + 2, ECHO_ABOVE}};
    RowOptions some = {.order = 3, .min_count = 3, .max_rows = UINT32_MAX, .phrases = true};
    RowOptions pairs = {.order = 2, .min_count = 3, .max_rows = UINT32_MAX, .columns = true};
    RowOptions ngrams = {.order = 6, .min_count = 2, .max_rows = UINT32_MAX};
    RowOptions one = {.order = 1, .min_count = 1, .max_rows = UINT32_MAX};
    test_rows(text.ids + 5000, all, 1);
    test_rows(text.ids + 5000, some, 3);
    test_rows(text.ids + 5000, pairs, 2);
    test_rows(text.ids + 5000, ngrams, 2);
    test_rows(text.ids + 5000, one, 2);
    uint8_t ruled[LENGTH];
    make_ruled(ruled);
    test_rows(ruled, all, 2);
    test_cap(&text);
    test_window();
    test_parts(&text, all);
    test_same_rows(&text, all);
    free(text.ids);
    return 0;
}
