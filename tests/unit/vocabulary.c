/* the rows of every context against their definitions, found the slow way. */
#include "../../lib/memory.h"
#include "../../lib/step.h"
#include "../../lib/text.h"
#include "../check.h"
#include "rows.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH = 3000, TRAINED = 2500 };

/* How often a string stands in text [length], as a plain search finds it. */
static uint32_t occurrences(const char *text, size_t length, const char *string, size_t size) {
    uint32_t count = 0;
    for (size_t i = 0; i + size <= length; i++) count += memcmp(text + i, string, size) == 0;
    return count;
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

typedef struct {
    uint32_t rows[MAX_BAG];
    size_t count;
} Rows;

static void push(Rows *rows, uint32_t row) { rows->rows[rows->count++] = row; }

static uint32_t row_of(const Vocabulary *v, RowKind kind, const char *text, size_t length) {
    uint8_t ids[MAX_PHRASE];
    for (size_t i = 0; i < length; i++) ids[i] = (uint8_t)id_of((unsigned char)text[i]);
    return string_row(v, kind, ids, length);
}

/* The rows of a place by definition, in the order of bag_rows. A string has a row when it stands
   often enough, and all shorter ones in its chain stand at least twice. */
static Rows slow_rows(const Vocabulary *v, const char *text, const size_t *before, size_t place) {
    Rows rows = {{0}, 0}, chain = {{0}, 0};
    size_t min_count = v->options.min_count;
    if (place == 0) return rows;
    for (size_t k = 1; k <= (size_t)v->options.order && k <= place; k++) {
        const char *start = text + place - k;
        if (k > 1 && occurrences(text, TRAINED, start, k) < min_count) break;
        if (k > 1 && occurrences(text, TRAINED, start + 1, k - 1) < 2) break;
        push(&chain, row_of(v, NGRAM_ROWS, start, k));
        if (chain.rows[chain.count - 1] == NO_ROW) break;
    }
    while (chain.count > 0) push(&rows, chain.rows[--chain.count]);
    char plain[LENGTH], trained[LENGTH];
    size_t length = make_plain(text, place, plain);
    size_t trained_length = make_plain(text, TRAINED, trained);
    for (int words = 1; v->options.phrases && words <= PHRASE_WORDS; words++) {
        size_t start = words_back(plain, length, words);
        if (start == SIZE_MAX) break;
        const char *phrase = plain + start;
        size_t size = length - start;
        if (size > MAX_PHRASE) continue;
        if (phrase_occurrences(trained, trained_length, phrase, size) < min_count) continue;
        if (size > 1 && phrase_occurrences(trained, trained_length, phrase, size - 1) < 2) continue;
        push(&rows, row_of(v, PHRASE_ROWS, phrase, size));
    }
    uint32_t first = v->end[PHRASE_ROWS];
    for (int e = 0; e < v->options.echoes; e++) {
        int key = v->options.echo_keys[e], number;
        int follower = slow_echo(text, before, place, key, &number);
        uint32_t id = (uint32_t)id_of((unsigned char)follower);
        if (follower >= 0) push(&rows, first + (uint32_t)number * CHARACTERS + id);
        first += (uint32_t)slow_width(key);
    }
    if (v->options.columns) push(&rows, v->end[ECHO_ROWS] + (uint32_t)slow_column(text, place));
    return rows;
}

/* The rows of a bag as the program finds them. */
static Rows rows_of(const Vocabulary *v, const Bags *bags, size_t i) {
    Rows rows;
    const Beside *beside = bags->beside ? &bags->beside[i] : NULL;
    rows.count = bag_rows(v, bags->ngram[i], beside, rows.rows);
    return rows;
}

static bool same_rows(const Rows *a, const Rows *b) {
    return a->count == b->count && !memcmp(a->rows, b->rows, a->count * sizeof *a->rows);
}

static void print_rows(const char *what, const Vocabulary *v, const Rows *rows) {
    char name[ROW_NAME];
    printf("note %s", what);
    for (size_t r = 0; r < rows->count; r++)
        printf(" %s", rows->rows[r] == NO_ROW ? "(none)" : row_name(v, rows->rows[r], name));
    printf("\n");
}

/* A number for one bag and its target; that of a batch is their sum: their order is free. */
static uint64_t hash_of(const uint32_t *rows, size_t count, uint8_t next) {
    uint64_t hash = next + 1;
    for (size_t i = 0; i < count; i++) hash = (hash + rows[i]) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* A linear congruential generator: the same numbers everywhere. */
static uint32_t draw(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* How much is wrong with a batch's list of its rows: each once, and with the bags that have it, in
   order. */
static size_t wrong_in_list(const SortedBatch *sorted, size_t rows) {
    const Batch *batch = &sorted->batch;
    bool *seen = allocate(rows, sizeof *seen, "test");
    size_t shared = 0, wrong = 0;
    for (size_t u = 0; u < batch->distinct; u++) {
        uint32_t first = sorted->bag_offsets[u], last = sorted->bag_offsets[u + 1], positions = 0;
        wrong += seen[batch->rows[u]];
        seen[batch->rows[u]] = true;
        if (last - first > 1)
            wrong += shared >= sorted->shared_rows || sorted->shared[shared++] != u;
        for (uint32_t w = first; w < last; w++) {
            size_t b = sorted->bags[w], times = 0;
            positions += batch->target_offsets[b + 1] - batch->target_offsets[b];
            for (uint32_t i = batch->offsets[b]; i < batch->offsets[b + 1]; i++)
                times += batch->indices[i] == batch->rows[u] && sorted->numbers[i] == u;
            wrong += times != 1 || (w > first && sorted->bags[w - 1] >= b);
        }
        wrong += positions != batch->frequency[u];
    }
    free(seen);
    return wrong + (shared != sorted->shared_rows) +
           (sorted->bag_offsets[batch->distinct] != batch->offsets[batch->bags]);
}

/* Batches of positions from anywhere, at first from the start: a context without rows. Nothing is
   lost. */
static void test_batches(const Vocabulary *v, const Bags *bags, const char *kind) {
    static const size_t sizes[] = {1, 2, 31, 64, 200, 1000};
    uint32_t state = 1, *mark = allocate(v->rows, sizeof *mark, "test");
    size_t lost = 0, listed = 0;
    for (size_t round = 0; round < 60; round++) {
        size_t count = sizes[round % 6];
        uint64_t positions[1000], expected = 0, got = 0;
        for (size_t b = 0; b < count; b++) {
            uint32_t i = round < 6 ? (uint32_t)b : draw(&state) % (uint32_t)bags->count;
            Rows rows = rows_of(v, bags, i);
            positions[b] = position(v, bags, i, i);
            expected += hash_of(rows.rows, rows.count, bags->targets[i]);
        }
        SortedBatch sorted = batch_allocate(count, largest_bag(v));
        const Batch *batch = &sorted.batch;
        batch_fill(&sorted, v, bags->beside, positions, count, mark);
        for (size_t b = 0; b < batch->bags; b++)
            for (uint32_t n = batch->target_offsets[b]; n < batch->target_offsets[b + 1]; n++)
                got += hash_of(batch->indices + batch->offsets[b],
                               batch->offsets[b + 1] - batch->offsets[b], batch->targets[n]);
        lost += got != expected || batch->target_offsets[batch->bags] != count ||
                batch->positions != count;
        listed += wrong_in_list(&sorted, v->rows);
        batch_free(&sorted);
    }
    check(lost == 0, "%s: batches have the bags and targets of their positions", kind);
    check(listed == 0, "%s: and list each row once, with its bags (%zu wrong)", kind, listed);
    free(mark);
}

/* Each string's row is found by its text, and each row has a name. */
static void test_names(const Vocabulary *v, const char *kind) {
    bool named = true;
    char name[ROW_NAME], text[MAX_PHRASE];
    for (uint32_t row = 0; row < v->rows; row++) {
        size_t length = row_text(v, row, text);
        if (length) named &= row == row_of(v, row_kind(v, row), text, length);
        named &= strlen(row_name(v, row, name)) > 0;
    }
    check(named, "%s: each string's row is found by its text", kind);
    check(v->rows - v->end[ECHO_ROWS] == (v->options.columns ? 81 : 0), "%s: %u rows of columns",
          kind, (unsigned)(v->rows - v->end[ECHO_ROWS]));
}

/* The names of an a's rows in groups of echoes. */
static void test_echo_names(const Text *text) {
    static const char *const names[] = {
        "echo 2: a",          "echo 40 once: a",   "echo 40 changed: a",   "echo 40 twice: a",
        "echo 40 often: a",   "echo word once: a", "echo word changed: a", "echo word twice: a",
        "echo word often: a", "echo words: a",     "echo word earlier: a", "echo above: a"};
    RowOptions options = {.order = 1,
                          .min_count = 1,
                          .max_rows = UINT32_MAX,
                          .echoes = 6,
                          .echo_keys = {2, ECHO_CASES + 40, ECHO_CASES + ECHO_WORDS + 1,
                                        ECHO_WORDS + 2, ECHO_EARLIER, ECHO_ABOVE}};
    Vocabulary v = vocabulary_list(text->ids, 100, options);
    size_t wrong = 0, rows = sizeof names / sizeof *names;
    for (uint32_t i = 0; i < rows; i++) {
        char name[ROW_NAME];
        uint32_t row = v.end[PHRASE_ROWS] + CHARACTERS * i + (uint32_t)id_of('a');
        wrong += strcmp(row_name(&v, row, name), names[i]) || named_row(&v, names[i]) != row;
    }
    check(wrong == 0 && v.rows == v.end[PHRASE_ROWS] + CHARACTERS * rows,
          "rows of echoes have the names of their keys and cases, %zu have not", wrong);
    vocabulary_free(&v);
}

static void test_rows(const uint8_t *ids, RowOptions options, int members) {
    char text[LENGTH], kind[64];
    for (size_t i = 0; i < LENGTH; i++) text[i] = character_of(ids[i]);
    snprintf(kind, sizeof kind, "order %d, min-count %u", options.order,
             (unsigned)options.min_count);
    Team *team = team_start(members);
    Vocabulary vocabulary = vocabulary_list(ids, TRAINED, options), *v = &vocabulary;
    Bags bags = bags_find(team, v, ids, 0, LENGTH),
         tail = bags_find(team, v, ids, TRAINED, LENGTH - TRAINED);
    Stream *stream = stream_start(v);
    size_t wrong = 0, differs = 0, streams = 0, all = 0, most = 0;
    size_t *before = places_before(text, LENGTH);
    for (size_t i = 0; i < LENGTH; i++) {
        Rows rows = rows_of(v, &bags, i), expected = slow_rows(v, text, before, i), streamed;
        if (!same_rows(&rows, &expected) && wrong++ == 0) { /* show the first */
            print_rows("a context has", v, &rows);
            print_rows("but should have", v, &expected);
        }
        if (i >= TRAINED) {
            Rows in_tail = rows_of(v, &tail, i - TRAINED);
            differs += !same_rows(&rows, &in_tail);
        }
        streamed.count = stream_rows(stream, streamed.rows);
        streams += !same_rows(&rows, &streamed);
        stream_push(stream, ids[i]);
        all += rows.count;
        most = rows.count > most ? rows.count : most;
    }
    check(most <= largest_bag(v) && largest_bag(v) <= MAX_BAG,
          "%s: %zu rows in a bag at most, of %zu foreseen", kind, most, largest_bag(v));
    check(wrong == 0, "%s: rows of %d contexts as defined, %.1f on average (%zu differ)", kind,
          LENGTH, (double)all / LENGTH, wrong);
    check(differs == 0, "%s: a part of the text has the rows that the whole has", kind);
    check(streams == 0, "%s: character by character the same rows are in the bag", kind);
    stream_end(stream);
    free(before);
    test_batches(v, &bags, kind);
    test_names(v, kind);
    bags_free(&bags);
    bags_free(&tail);
    vocabulary_free(v);
    team_end(team);
}

static Vocabulary capped(const Text *text, uint32_t max_rows) {
    RowOptions options = {.order = 6, .min_count = 1, .max_rows = max_rows, .phrases = true};
    return vocabulary_list(text->ids, text->length, options);
}

static void test_cap(const Text *text) {
    Vocabulary v = capped(text, 5000);
    uint32_t strings = v.end[PHRASE_ROWS] - CHARACTERS;
    bool frequent = true;
    for (uint32_t row = CHARACTERS; row < v.end[PHRASE_ROWS]; row++)
        frequent &= v.count[row] >= v.min_count;
    check(strings <= 5000 && strings > 3900 && v.min_count > 1 && frequent,
          "max_rows 5000 keeps the %u strings seen at least %u times", (unsigned)strings,
          (unsigned)v.min_count);
    Vocabulary same = capped(text, strings), fewer = capped(text, strings - 1);
    check(same.min_count == v.min_count && same.rows == v.rows &&
              fewer.min_count == v.min_count + 1 && fewer.rows < v.rows,
          "max_rows of just as many keeps them all, one less does not");
    vocabulary_free(&same);
    vocabulary_free(&fewer);
    vocabulary_free(&v);
}

/* A key that occurred ECHO_WINDOW - 1 characters before has an echo, one character further back it
   has none; and so on for the times before: wherever a part of a text begins, it knows of them. */
static void test_window(void) {
    enum { KEY = 12, FIRST = 50, TIMES = 4, SIZE = FIRST + TIMES * (ECHO_WINDOW + 1) };
    static const uint16_t cases[] = {NO_MEMBER, 0, 2 * CHARACTERS, 3 * CHARACTERS};
    Team *team = team_start(1);
    RowOptions options = {.order = 1,
                          .min_count = 1,
                          .max_rows = UINT32_MAX,
                          .echoes = 1,
                          .echo_keys = {ECHO_CASES + KEY}};
    uint8_t *ids = allocate(SIZE, 1, "test");
    uint32_t state = 1;
    for (size_t i = 0; i < SIZE; i++) ids[i] = (uint8_t)(draw(&state) >> 16) % 26;
    for (uint8_t i = 0; i < KEY; i++) ids[FIRST - KEY + i] = 40 + i; /* capitals: nowhere else */
    Vocabulary v = vocabulary_list(ids, FIRST, options);
    size_t place = FIRST;
    for (size_t times = 1; times < TIMES; times++) {
        uint16_t found[2];
        for (int further = 1; further >= 0; further--) {
            size_t there = place + ECHO_WINDOW - 1 + (size_t)further;
            memcpy(ids + there - KEY, ids + FIRST - KEY, KEY);
            ids[there] = ids[FIRST];
            Bags bags = bags_find(team, &v, ids, there, 1);
            found[further] = bags.beside[0].member[0];
            bags_free(&bags);
            if (further) ids[there - 1] = 0;
        }
        check(found[0] == cases[times] + ids[FIRST] && found[1] == NO_MEMBER,
              "echoes reach back less than %d characters, %zu times in a row", ECHO_WINDOW, times);
        place += ECHO_WINDOW - 1;
    }
    vocabulary_free(&v);
    free(ids);
    team_end(team);
}

/* White space of any length leaves phrases as they were: a part far behind their words has them. */
static void test_far_words(void) {
    static const char words[] = "the cat the cat ";
    enum { WORDS = sizeof words - 1, FAR = 3 * ECHO_WINDOW + 1000 };
    Team *team = team_start(1);
    RowOptions options = {.order = 1, .min_count = 1, .max_rows = UINT32_MAX, .phrases = true};
    uint8_t *ids = allocate(FAR + 1, 1, "test");
    for (size_t i = 0; i <= FAR; i++)
        ids[i] = (uint8_t)id_of(i < WORDS ? (unsigned char)words[i] : ' ');
    Vocabulary v = vocabulary_list(ids, WORDS, options);
    Bags near = bags_find(team, &v, ids, WORDS, 1), far = bags_find(team, &v, ids, FAR, 1);
    check(near.beside->phrase[1] != NO_ROW && !memcmp(near.beside, far.beside, sizeof *far.beside),
          "a part behind %d spaces has the phrases of the words before them", FAR - WORDS);
    bags_free(&near);
    bags_free(&far);
    vocabulary_free(&v);
    free(ids);
    team_end(team);
}

/* The bags of a part are those that the whole text has there, wherever the part begins. */
static void test_parts(const Text *text, RowOptions options) {
    enum { WHOLE = 40000, PART = 700, STRIDE = 3331 };
    Team *team = team_start(2);
    Vocabulary v = vocabulary_list(text->ids, 5000, options);
    Bags whole = bags_find(team, &v, text->ids, 0, WHOLE);
    size_t wrong = 0;
    for (size_t first = 1; first + PART <= WHOLE; first += STRIDE) {
        Bags part = bags_find(team, &v, text->ids, first, PART);
        wrong += memcmp(part.ngram, whole.ngram + first, PART * sizeof *part.ngram) ||
                 memcmp(part.beside, whole.beside + first, PART * sizeof *part.beside);
        bags_free(&part);
    }
    check(wrong == 0, "parts of a text have the rows that the whole has, %zu have not", wrong);
    bags_free(&whole);
    vocabulary_free(&v);
    team_end(team);
}

/* Rows of two vocabularies are the same when their names are. */
static void test_same_rows(const Text *text, RowOptions options) {
    RowOptions others = options;
    others.order = 3;
    for (int e = 0; e < options.echoes; e++)
        others.echo_keys[e] = options.echo_keys[options.echoes - 1 - e];
    others.echo_keys[1] = 4; /* without the cases that it has here */
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
    options.columns = false;
    Vocabulary without = vocabulary_list(text->ids, 3000, options);
    for (uint32_t row = there.end[ECHO_ROWS]; row < there.rows; row++)
        wrong += same_row(&without, &there, row) != NO_ROW;
    check(wrong == 0, "and no row of columns where there are none");
    vocabulary_free(&without);
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
        unsigned choice = draw(&state) >> 8;
        int hyphens = choice / 16 % 3 ? 0 : 34 + (int)(choice / 64 % 10);
        int length = sprintf(piece, "%s%s%.*s", words[choice % 4], gaps[choice / 4 % 4], hyphens,
                             "------------------------------------------------");
        for (int i = 0; i < length && used < LENGTH; i++)
            ids[used++] = (uint8_t)id_of((unsigned char)piece[i]);
    }
}

int main(void) {
    Text text = text_read("data/text.txt", true);
    RowOptions all = {.order = 7,
                      .min_count = 1,
                      .max_rows = UINT32_MAX,
                      .phrases = true,
                      .columns = true,
                      .echoes = 11,
                      .echo_keys = {2, 3, ECHO_CASES + 4, 6, ECHO_CASES + 10, 16, 32,
                                    ECHO_CASES + ECHO_WORDS + 1, ECHO_WORDS + 2, ECHO_EARLIER,
                                    ECHO_ABOVE}};
    static const struct {
        RowOptions options;
        int members;
    } some[] = {{{.order = 3, .min_count = 3, .max_rows = UINT32_MAX, .phrases = true}, 3},
                {{.order = 2, .min_count = 3, .max_rows = UINT32_MAX, .columns = true}, 2},
                {{.order = 6, .min_count = 2, .max_rows = UINT32_MAX}, 2},
                {{.order = 1, .min_count = 1, .max_rows = UINT32_MAX}, 2}};
    test_rows(text.ids + 5000, all, 1);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        test_rows(text.ids + 5000, some[i].options, some[i].members);
    uint8_t ruled[LENGTH];
    make_ruled(ruled);
    test_rows(ruled, all, 2);
    test_echo_names(&text);
    test_cap(&text);
    test_window();
    test_far_words();
    test_parts(&text, all);
    test_same_rows(&text, all);
    free(text.ids);
    return 0;
}
