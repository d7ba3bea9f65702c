#include "contexts.h"

#include "fail.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the trees of rows --------------------------------------------------------------------- */

static size_t slot_of(const Contexts *contexts, uint32_t parent, uint8_t letter) {
    uint64_t key = (uint64_t)parent << 8 | letter;
    return (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & contexts->slot_mask;
}

/* The row one letter beyond parent, NO_ROW when there is none. */
static inline uint32_t child_row(const Contexts *contexts, uint32_t parent, uint8_t letter) {
    for (size_t slot = slot_of(contexts, parent, letter);; slot = (slot + 1) & contexts->slot_mask) {
        uint32_t row = contexts->slots[slot];
        if (row == NO_ROW || (contexts->parent[row] == parent && contexts->letter[row] == letter)) return row;
    }
}

/* Makes room for the rows 0..rows-1 of both trees. */
static void rows_allocate(Contexts *contexts, size_t rows) {
    contexts->parent = allocate(rows, sizeof *contexts->parent, "the list of rows");
    contexts->letter = allocate(rows, sizeof *contexts->letter, "the list of rows");
}

/* The hash table over all strings but the single characters. Returns false when two rows stand for the same text. */
static bool rows_index(Contexts *contexts) {
    size_t slots = 256;
    while (slots < 2 * (size_t)contexts->phrases_end) slots *= 2;
    contexts->slots = allocate(slots, sizeof *contexts->slots, "the table of rows");
    memset(contexts->slots, 0xff, slots * sizeof *contexts->slots);
    contexts->slot_mask = slots - 1;
    for (uint32_t row = CHARACTERS; row < contexts->phrases_end; row++) {
        size_t slot = slot_of(contexts, contexts->parent[row], contexts->letter[row]);
        for (uint32_t other; (other = contexts->slots[slot]) != NO_ROW; slot = (slot + 1) & contexts->slot_mask)
            if (contexts->parent[other] == contexts->parent[row] && contexts->letter[other] == contexts->letter[row])
                return false;
        contexts->slots[slot] = row;
    }
    return true;
}

void contexts_free(Contexts *contexts) {
    free(contexts->parent);
    free(contexts->letter);
    free(contexts->count);
    free(contexts->slots);
    *contexts = (Contexts){0};
}

/* ---- words and phrases ----------------------------------------------------------------------- */

static bool is_word_character(uint8_t id) { return id < 62 || character_of(id) == '\'' || character_of(id) == '_'; }

enum { SPACE = 94, NEWLINE = 96 }; /* ids; white space is 94..99 */

/* As phrases have it: capitals (36..61) become small letters (10..35), white space a space. */
static uint8_t plain(uint8_t id) { return id >= SPACE ? SPACE : id >= 36 && id < 62 ? (uint8_t)(id - 26) : id; }

/* Follows the phrases that end at the present character: row[w] is the one that starts w words before the last. */
typedef struct {
    uint32_t row[PHRASE_WORDS];
    int length[PHRASE_WORDS]; /* MAX_PHRASE: nothing to follow any more */
    uint8_t before;           /* the plain character before: more white space adds nothing */
} PhraseWalk;

static PhraseWalk phrase_walk_start(void) {
    PhraseWalk walk = {.before = SPACE};
    for (int w = 0; w < PHRASE_WORDS; w++) {
        walk.row[w] = NO_ROW;
        walk.length[w] = MAX_PHRASE;
    }
    return walk;
}

static void phrase_walk_step(const Contexts *contexts, PhraseWalk *walk, uint8_t id) {
    id = plain(id);
    if (id == SPACE && walk->before == SPACE) return;
    if (is_word_character(id) && !is_word_character(walk->before)) { /* every phrase gets one word older */
        for (int w = PHRASE_WORDS - 1; w > 0; w--) {
            walk->row[w] = walk->row[w - 1];
            walk->length[w] = walk->length[w - 1];
        }
        walk->row[0] = NO_ROW;
        walk->length[0] = 0;
    }
    walk->before = id;
    for (int w = 0; w < PHRASE_WORDS; w++) {
        walk->row[w] = walk->length[w] == MAX_PHRASE ? NO_ROW : child_row(contexts, walk->row[w], id);
        walk->length[w] = walk->row[w] == NO_ROW ? MAX_PHRASE : walk->length[w] + 1;
    }
}

/* ---- listing the strings of a text ----------------------------------------------------------- */

/* Strings found: each one's length, the letter by which it is longer than its parent, and its count.
   A string stands right before those that continue it, so lengths alone tell who is whose parent. */
typedef struct {
    uint32_t *count;
    uint8_t *letter, *length;
    size_t size, capacity;
} StringList;

static void list_add(StringList *list, int letter, int length, size_t count) {
    if (list->size == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 1024;
        list->count = reallocate(list->count, list->capacity, sizeof *list->count, "the list of strings");
        list->letter = reallocate(list->letter, list->capacity, 1, "the list of strings");
        list->length = reallocate(list->length, list->capacity, 1, "the list of strings");
    }
    list->count[list->size] = (uint32_t)count;
    list->letter[list->size] = (uint8_t)letter;
    list->length[list->size++] = (uint8_t)length;
}

static void list_free(StringList *list) {
    free(list->count);
    free(list->letter);
    free(list->length);
}

/* Strings that begin at given places of a text. An n-gram is read backwards from the place of its
   last character; a phrase forwards from the place where its first word begins. */
typedef struct {
    const uint8_t *text;
    const uint32_t *word_starts; /* phrases: place p is word p; NULL: n-grams, place p is character p */
    int longest;
    uint32_t min_count;
    uint32_t *places, *spare;
    size_t group_start[CHARACTERS + 1]; /* where in places the strings that begin with each letter are */
    StringList lists[CHARACTERS];       /* and what was found there */
} Listing;

/* The letter that continues the string of this length at this place, -1 when it ends there. */
static inline int next_letter(const Listing *listing, uint32_t place, size_t length) {
    if (!listing->word_starts) return place >= length ? listing->text[place - length] : -1;
    size_t at = listing->word_starts[place] + length;
    return at < listing->word_starts[place + PHRASE_WORDS] ? listing->text[at] : -1;
}

/* Sorts places [count] by the letter that continues their strings of this length. */
static void sort_places(const Listing *listing, uint32_t *places, uint32_t *spare, size_t count, size_t length) {
    if (count < 24) { /* few: by insertion */
        for (size_t i = 1; i < count; i++) {
            uint32_t place = places[i];
            int letter = next_letter(listing, place, length);
            size_t j = i;
            for (; j > 0 && next_letter(listing, places[j - 1], length) > letter; j--) places[j] = places[j - 1];
            places[j] = place;
        }
        return;
    }
    uint32_t start[CHARACTERS + 2] = {0};
    for (size_t i = 0; i < count; i++) start[next_letter(listing, places[i], length) + 2]++;
    for (int c = 1; c < CHARACTERS + 2; c++) start[c] += start[c - 1];
    for (size_t i = 0; i < count; i++) spare[start[next_letter(listing, places[i], length) + 1]++] = places[i];
    memcpy(places, spare, count * sizeof *places);
}

/* All places [count] share the first `length` letters of their strings; lists the longer ones among them. A string
   that stands once is not continued: its longer ones would be on at the very same place and learn the same. */
static void list_longer(const Listing *listing, StringList *list, uint32_t *places, uint32_t *spare, size_t count,
                        int length) {
    if (length == listing->longest) return;
    sort_places(listing, places, spare, count, (size_t)length);
    for (size_t i = 0, end; i < count; i = end) {
        int letter = next_letter(listing, places[i], (size_t)length);
        for (end = i + 1; end < count && next_letter(listing, places[end], (size_t)length) == letter;) end++;
        if (letter < 0 || end - i < listing->min_count) continue;
        list_add(list, letter, length + 1, end - i);
        if (end - i > 1) list_longer(listing, list, places + i, spare + i, end - i, length + 1);
    }
}

/* Fills places 0..count-1, grouped by the first letter of their strings. */
static void listing_begin(Listing *listing, size_t count) {
    listing->places = allocate(count, sizeof(uint32_t), "the list of strings");
    listing->spare = allocate(count, sizeof(uint32_t), "the list of strings");
    size_t *start = listing->group_start, next[CHARACTERS];
    for (uint32_t p = 0; p < count; p++) start[next_letter(listing, p, 0) + 1]++;
    for (int c = 0; c < CHARACTERS; c++) start[c + 1] += start[c];
    memcpy(next, start, sizeof next);
    for (uint32_t p = 0; p < count; p++) listing->places[next[next_letter(listing, p, 0)]++] = p;
}

/* Where words begin in a text, and PHRASE_WORDS times its end; *count is how many words. */
static uint32_t *word_starts(const uint8_t *text, size_t length, size_t *count) {
    size_t words = 0;
    for (size_t i = 0; i < length; i++) words += is_word_character(text[i]) && !(i && is_word_character(text[i - 1]));
    uint32_t *starts = allocate(words + PHRASE_WORDS, sizeof *starts, "the list of words");
    *count = words;
    words = 0;
    for (size_t i = 0; i < length; i++)
        if (is_word_character(text[i]) && !(i && is_word_character(text[i - 1]))) starts[words++] = (uint32_t)i;
    for (int w = 0; w < PHRASE_WORDS; w++) starts[words++] = (uint32_t)length;
    return starts;
}

/* A text as phrases have it; *plain_length is its length. */
static uint8_t *plain_text(const uint8_t *text, size_t length, size_t *plain_length) {
    uint8_t *copy = allocate(length, 1, "the list of phrases");
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t id = plain(text[i]), before = used ? copy[used - 1] : SPACE;
        if (id != SPACE || before != SPACE) copy[used++] = id;
    }
    *plain_length = used;
    return copy;
}

typedef struct {
    Listing *ngrams, *phrases;
} ListWork;

/* Every member takes the next letter's strings until none is left. */
static void list_task(Team *team, int member, void *argument) {
    (void)member;
    ListWork *work = argument;
    for (size_t group; (group = team_next(team)) < 2 * CHARACTERS;) {
        Listing *listing = group < CHARACTERS ? work->ngrams : work->phrases;
        uint8_t letter = group % CHARACTERS;
        size_t start = listing->group_start[letter], count = listing->group_start[letter + 1] - start;
        if (!count) continue;
        StringList *list = &listing->lists[letter];
        if (listing->word_starts && count >= listing->min_count) list_add(list, letter, 1, count);
        if (count > 1) list_longer(listing, list, listing->places + start, listing->spare + start, count, 1);
    }
}

/* ---- from lists to rows ---------------------------------------------------------------------- */

enum { COUNTS = 1 << 16 };

static void count_counts(const Listing *listing, size_t *strings_with) {
    for (int group = 0; group < CHARACTERS; group++)
        for (size_t i = 0; i < listing->lists[group].size; i++) {
            uint32_t count = listing->lists[group].count[i];
            strings_with[count < COUNTS ? count : COUNTS]++;
        }
}

/* The least count, from min_count up, at which no more than max_rows strings remain. */
static uint32_t threshold(const ListWork *work, RowOptions options) {
    size_t *strings_with = allocate(COUNTS + 1, sizeof *strings_with, "the list of strings"), total = 0;
    count_counts(work->ngrams, strings_with);
    count_counts(work->phrases, strings_with);
    uint32_t least = COUNTS + 1;
    while (least > options.min_count && total + strings_with[least - 1] <= options.max_rows)
        total += strings_with[--least];
    free(strings_with);
    return least;
}

/* Makes rows of the strings that are frequent enough, from row `end` on; returns the new end. */
static uint32_t append_rows(Contexts *contexts, Listing *listing, uint32_t end) {
    for (int group = 0; group < CHARACTERS; group++) {
        StringList *list = &listing->lists[group];
        uint32_t chain[MAX_PHRASE + 1]; /* the latest row of each length: the next longer one's parent */
        chain[0] = NO_ROW;
        chain[1] = (uint32_t)group;
        for (size_t i = 0; i < list->size; i++) {
            if (list->count[i] < contexts->min_count) continue;
            contexts->parent[end] = chain[list->length[i] - 1];
            contexts->letter[end] = list->letter[i];
            contexts->count[end] = list->count[i];
            chain[list->length[i]] = end++;
        }
        list_free(list);
    }
    return end;
}

static void kinds_after_phrases(Contexts *contexts) {
    contexts->echoes_end = contexts->phrases_end + (uint32_t)(contexts->options.echoes * CHARACTERS);
    contexts->rows = contexts->echoes_end + (contexts->options.columns ? COLUMNS : 0);
}

/* Evenly spread stretches of a text that is too long to list whole. */
static uint8_t *sampled(const uint8_t *text, size_t length) {
    enum { STRETCHES = 64, STRETCH = LIST_SAMPLE / STRETCHES };
    uint8_t *sample = allocate(LIST_SAMPLE, 1, "the sample of a long text");
    for (size_t s = 0; s < STRETCHES; s++)
        memcpy(sample + s * STRETCH, text + (length - STRETCH) / (STRETCHES - 1) * s, STRETCH);
    return sample;
}

static size_t strings_listed(const Listing *listing) {
    size_t total = 0;
    for (int group = 0; group < CHARACTERS; group++) total += listing->lists[group].size;
    return total;
}

static void listing_free(Listing *listing) {
    free(listing->places);
    free(listing->spare);
    free((void *)listing->word_starts);
    free(listing);
}

Contexts contexts_list(Team *team, const uint8_t *text, size_t length, RowOptions options) {
    uint8_t *sample = length > LIST_SAMPLE ? sampled(text, length) : NULL;
    if (sample) {
        text = sample;
        length = LIST_SAMPLE;
    }
    ListWork work = {allocate(1, sizeof(Listing), "the list of n-grams"), allocate(1, sizeof(Listing), "the list of phrases")};
    *work.ngrams = (Listing){.text = text, .longest = options.order, .min_count = options.min_count};
    listing_begin(work.ngrams, length);
    *work.phrases = (Listing){.longest = MAX_PHRASE, .min_count = options.min_count};
    uint8_t *plain_copy = NULL;
    if (options.phrases) {
        size_t plain_length, words;
        plain_copy = plain_text(text, length, &plain_length);
        work.phrases->text = plain_copy;
        work.phrases->word_starts = word_starts(plain_copy, plain_length, &words);
        listing_begin(work.phrases, words);
    }
    team_run(team, list_task, &work);

    Contexts contexts = {.options = options, .min_count = threshold(&work, options)};
    size_t rows = CHARACTERS + strings_listed(work.ngrams) + strings_listed(work.phrases);
    rows_allocate(&contexts, rows);
    contexts.count = allocate(rows + MAX_ECHOES * CHARACTERS + COLUMNS, sizeof *contexts.count, "the list of rows");
    for (uint32_t c = 0; c < CHARACTERS; c++) {
        contexts.parent[c] = NO_ROW;
        contexts.letter[c] = (uint8_t)c;
        contexts.count[c] = (uint32_t)(work.ngrams->group_start[c + 1] - work.ngrams->group_start[c]);
    }
    contexts.ngrams_end = append_rows(&contexts, work.ngrams, CHARACTERS);
    contexts.phrases_end = append_rows(&contexts, work.phrases, contexts.ngrams_end);
    kinds_after_phrases(&contexts);
    rows_index(&contexts);
    listing_free(work.ngrams);
    listing_free(work.phrases);
    free(plain_copy);
    free(sample);
    return contexts;
}

/* ---- from a file's texts to rows ------------------------------------------------------------- */

/* Reads `rows` right-aligned texts into rows `end` on. step is where a text's own letter is: its first for
   n-grams, its last for phrases. Returns false, with a reason, when they make no tree. */
static bool read_texts(Contexts *contexts, const uint8_t *texts, size_t rows, size_t width, uint32_t end, bool ngrams,
                       const char **reason) {
    uint32_t chain[MAX_PHRASE + 1] = {0}; /* the latest row of each length */
    const uint8_t *before = NULL;         /* the row before, for the length of its text */
    size_t known = 0;                     /* chain[2..known] belong to the row before */
    chain[0] = NO_ROW;
    for (size_t i = 0; i < rows; i++, end++) {
        const uint8_t *cell = texts + i * width;
        size_t length = width;
        while (length > 0 && cell[width - length] == 0) length--;
        const uint8_t *text = cell + width - length;
        *reason = "a row's text is not made of printable characters behind 0 bytes";
        for (size_t j = 0; j < length; j++)
            if (id_of(text[j]) < 0) return false;
        if (length < (ngrams ? 2u : 1u)) return false;
        *reason = "the rows are not in order, each right behind its parent";
        size_t shared = length - 1; /* the parent's length: it must be shared with the row before */
        if (shared > (ngrams ? 1u : 0u)) {
            if (shared > known) return false;
            const uint8_t *parent = ngrams ? text + 1 : text;
            const uint8_t *other = ngrams ? before + width - shared : before + width - known;
            if (memcmp(parent, other, shared)) return false;
        }
        if (ngrams) chain[1] = (uint32_t)id_of(text[length - 1]);
        contexts->parent[end] = chain[shared];
        contexts->letter[end] = (uint8_t)id_of(ngrams ? text[0] : text[length - 1]);
        chain[length] = end;
        before = cell;
        known = length;
    }
    return true;
}

bool contexts_from_texts(Contexts *contexts, RowOptions options, const uint8_t *ngrams, size_t ngram_rows,
                         const uint8_t *phrases, size_t phrase_rows, size_t phrase_width, const char **reason) {
    *contexts = (Contexts){.options = options, .min_count = options.min_count};
    *reason = "there are too many rows";
    if (ngram_rows >= NO_ROW / 4 || phrase_rows >= NO_ROW / 4 || phrase_width > MAX_PHRASE) return false;
    size_t rows = CHARACTERS + ngram_rows + phrase_rows;
    rows_allocate(contexts, rows);
    contexts->ngrams_end = CHARACTERS + (uint32_t)ngram_rows;
    contexts->phrases_end = (uint32_t)rows;
    kinds_after_phrases(contexts);
    contexts->count = allocate(contexts->rows, sizeof *contexts->count, "the counts of rows");
    for (uint32_t c = 0; c < CHARACTERS; c++) {
        contexts->parent[c] = NO_ROW;
        contexts->letter[c] = (uint8_t)c;
    }
    if (!read_texts(contexts, ngrams, ngram_rows, (size_t)options.order, CHARACTERS, true, reason)) return false;
    if (!read_texts(contexts, phrases, phrase_rows, phrase_width, contexts->ngrams_end, false, reason)) return false;
    *reason = "two rows have the same text";
    return rows_index(contexts);
}

/* ---- rows and their names -------------------------------------------------------------------- */

size_t row_text(const Contexts *contexts, uint32_t row, char *text) {
    size_t length = 0;
    if (row >= contexts->phrases_end) return 0;
    bool backwards = row < contexts->ngrams_end; /* n-grams: from the first letter to the last */
    for (; row != NO_ROW; row = contexts->parent[row]) text[length++] = character_of(contexts->letter[row]);
    for (size_t i = 0, j = length; !backwards && i + 1 < j; i++) {
        char letter = text[i];
        text[i] = text[--j];
        text[j] = letter;
    }
    return length;
}

char *row_name(const Contexts *contexts, uint32_t row, char *name) {
    char text[MAX_PHRASE], printable[4 * MAX_PHRASE + 1];
    if (row < CHARACTERS) return character_name(character_of((uint8_t)row), name);
    if (row >= contexts->echoes_end) {
        sprintf(name, "column %u", (unsigned)(row - contexts->echoes_end));
        return name;
    }
    if (row >= contexts->phrases_end) {
        int key = contexts->options.echo_keys[(row - contexts->phrases_end) / CHARACTERS];
        character_name(character_of((uint8_t)((row - contexts->phrases_end) % CHARACTERS)), printable);
        if (key < ECHO_WORDS) sprintf(name, "echo %d: %s", key, printable);
        else sprintf(name, "echo %s: %s", key == ECHO_WORDS + 1 ? "word" : "words", printable);
        return name;
    }
    escaped(text, row_text(contexts, row, text), printable);
    sprintf(name, row < contexts->ngrams_end ? "\"%s\"" : "^\"%s\"", printable);
    return name;
}

uint32_t ngram_row(const Contexts *contexts, const uint8_t *ids, size_t length) {
    if (length == 0) return NO_ROW;
    uint32_t row = ids[length - 1];
    for (size_t k = 1; k < length && row != NO_ROW; k++) row = child_row(contexts, row, ids[length - 1 - k]);
    return row;
}

uint32_t phrase_row(const Contexts *contexts, const uint8_t *ids, size_t length) {
    uint32_t row = NO_ROW;
    for (size_t k = 0; k < length; k++)
        if ((row = child_row(contexts, row, ids[k])) == NO_ROW) return NO_ROW;
    return row;
}

/* ---- echoes ---------------------------------------------------------------------------------- */

/* Remembers where each string of one kind stood last. Strings are found by a hash of their characters; places
   with the same hash form a chain, the latest first, each string at most once. A place is the number of
   characters before it. text[i & ring] is character i. */
typedef struct {
    int key;              /* as in RowOptions.echo_keys */
    uint32_t words[2];    /* where the last word and the one before it began */
    uint32_t *latest;     /* [2 ECHO_WINDOW] hash -> place + 1, 0 when there is none */
    uint32_t *previous;   /* [ECHO_WINDOW] place -> the place before it in its chain + 1 */
} EchoMemory;

static EchoMemory echo_start(int key) {
    return (EchoMemory){key, {UINT32_MAX, UINT32_MAX}, allocate(2 * ECHO_WINDOW, sizeof(uint32_t), "the memory of echoes"),
                        allocate(ECHO_WINDOW, sizeof(uint32_t), "the memory of echoes")};
}

static void echo_end(EchoMemory *memory) {
    free(memory->latest);
    free(memory->previous);
}

static bool word_begins(const uint8_t *text, size_t ring, uint32_t place) {
    return is_word_character(text[place & ring]) && (place == 0 || !is_word_character(text[(place - 1) & ring]));
}

/* The length of the string before this place that is the key, 0 when there is none. */
static uint32_t echo_length(EchoMemory *memory, const uint8_t *text, size_t ring, uint32_t place) {
    uint32_t length = (uint32_t)memory->key;
    if (memory->key > ECHO_WORDS) {
        if (word_begins(text, ring, place - 1)) {
            memory->words[1] = memory->words[0];
            memory->words[0] = place - 1;
        }
        uint32_t start = memory->words[memory->key - ECHO_WORDS - 1];
        length = start == UINT32_MAX ? 0 : place - start;
    }
    return length > place || length > MAX_ECHO_KEY ? 0 : length;
}

/* Did the same key of this length stand before place `found` as stands before place `here`? */
static bool same_key(const EchoMemory *memory, const uint8_t *text, size_t ring, uint32_t found, uint32_t here, uint32_t length) {
    if (found < length) return false;
    for (uint32_t k = 1; k <= length; k++)
        if (text[(found - k) & ring] != text[(here - k) & ring]) return false;
    return memory->key < ECHO_WORDS || word_begins(text, ring, found - length);
}

/* The character that followed the last time the key before `place` stood, NO_ECHO when it never did within the
   window; remembers that it stands here. */
static uint8_t echo_step(EchoMemory *memory, const uint8_t *text, size_t ring, uint32_t place) {
    uint32_t length = place ? echo_length(memory, text, ring, place) : 0;
    if (!length) return NO_ECHO;
    uint64_t hash = length;
    for (uint32_t k = 1; k <= length; k++) hash = (hash + text[(place - k) & ring]) * 0x9e3779b97f4a7c15u;
    uint32_t *first = &memory->latest[hash >> 40 & (2 * ECHO_WINDOW - 1)];
    uint8_t follower = NO_ECHO;
    for (uint32_t *link = first; *link;) {
        uint32_t found = *link - 1, *next = &memory->previous[found & (ECHO_WINDOW - 1)];
        if (place - found >= ECHO_WINDOW) { /* so are all behind it */
            *link = 0;
        } else if (same_key(memory, text, ring, found, place, length)) {
            follower = text[found & ring];
            *link = *next; /* this place takes its part */
            break;
        } else {
            link = next;
        }
    }
    memory->previous[place & (ECHO_WINDOW - 1)] = *first;
    *first = place + 1;
    return follower;
}

/* ---- columns --------------------------------------------------------------------------------- */

static uint8_t next_column(uint8_t column, uint8_t id) { return id == NEWLINE ? 0 : column < COLUMNS - 1 ? column + 1 : column; }

/* ---- the rows of every position of a text ---------------------------------------------------- */

typedef struct {
    const Contexts *contexts;
    const uint8_t *text;
    Found *found;
} FindWork;

static void find_ngrams(const Contexts *contexts, const uint8_t *text, Found *found, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        size_t place = found->first + i;
        uint32_t row = place ? text[place - 1] : NO_ROW;
        for (size_t k = 2; k <= (size_t)contexts->options.order && k <= place; k++) {
            uint32_t longer = child_row(contexts, row, text[place - k]);
            if (longer == NO_ROW) break;
            row = longer;
        }
        found->ngram[i] = row;
    }
}

/* The walk begins where no phrase of the first position can reach back beyond. */
static void find_phrases(const Contexts *contexts, const uint8_t *text, Found *found, size_t from, size_t to) {
    size_t place = found->first + from, i = place, plain_length = 0;
    while (i > 0 && plain_length <= MAX_PHRASE + 1) { /* white space counts once */
        i--;
        plain_length += plain(text[i]) != SPACE || i == 0 || plain(text[i - 1]) != SPACE;
    }
    PhraseWalk walk = phrase_walk_start();
    if (i > 0) walk.before = plain(text[i - 1]);
    for (; i < found->first + to; i++) {
        if (i >= place) memcpy(found->others[i - found->first].phrase, walk.row, sizeof walk.row);
        phrase_walk_step(contexts, &walk, text[i]);
    }
}

static void find_echoes(const Contexts *contexts, const uint8_t *text, Found *found, size_t echo) {
    EchoMemory memory = echo_start(contexts->options.echo_keys[echo]);
    size_t reach = 2 * ECHO_WINDOW, start = found->first > reach ? found->first - reach : 0;
    for (size_t i = start; i < found->first + found->count; i++) {
        uint8_t follower = echo_step(&memory, text + start, SIZE_MAX, (uint32_t)(i - start));
        if (i >= found->first) found->others[i - found->first].echo[echo] = follower;
    }
    echo_end(&memory);
}

static void find_columns(const uint8_t *text, Found *found, size_t from, size_t to) {
    size_t place = found->first + from, start = place;
    uint8_t column = 0;
    while (start > 0 && place - start < COLUMNS && text[start - 1] != NEWLINE) start--;
    for (; start < place; start++) column = next_column(column, text[start]);
    for (size_t i = from; i < to; i++) {
        found->others[i].column = place + i - from > 0 ? column : NO_COLUMN;
        column = next_column(column, text[found->first + i]);
    }
}

/* The work is cut into pieces: one for each echo key, and SLICES of the positions for each other kind. */
static void find_task(Team *team, int member, void *argument) {
    (void)member;
    enum { SLICES = 16 };
    FindWork *work = argument;
    const Contexts *contexts = work->contexts;
    Found *found = work->found;
    size_t echoes = (size_t)contexts->options.echoes;
    for (size_t task; (task = team_next(team)) < echoes + 3 * SLICES;) {
        if (task < echoes) {
            find_echoes(contexts, work->text, found, task);
            continue;
        }
        size_t slice = (task - echoes) % SLICES;
        size_t from = found->count / SLICES * slice, to = slice == SLICES - 1 ? found->count : found->count / SLICES * (slice + 1);
        size_t kind = (task - echoes) / SLICES;
        if (kind == 0) find_ngrams(contexts, work->text, found, from, to);
        if (kind == 1 && contexts->phrases_end > contexts->ngrams_end) find_phrases(contexts, work->text, found, from, to);
        if (kind == 2 && contexts->options.columns) find_columns(work->text, found, from, to);
    }
}

static const Others nothing_else = {{NO_ROW, NO_ROW}, {NO_ECHO, NO_ECHO, NO_ECHO, NO_ECHO, NO_ECHO, NO_ECHO, NO_ECHO, NO_ECHO}, NO_COLUMN};

Found contexts_find(Team *team, const Contexts *contexts, const uint8_t *text, size_t first, size_t count) {
    Found found = {first, count, text + first, allocate(count, sizeof *found.ngram, "the rows of the text"), NULL};
    if (contexts->ngrams_end < contexts->rows) {
        found.others = allocate(count, sizeof *found.others, "the rows of the text");
        for (size_t i = 0; i < count; i++) found.others[i] = nothing_else;
    }
    FindWork work = {contexts, text, &found};
    team_run(team, find_task, &work);
    return found;
}

void found_free(Found *found) {
    free(found->ngram);
    free(found->others);
    *found = (Found){0};
}

void contexts_count(Contexts *contexts, const Found *found) {
    for (size_t i = 0; found->others && i < found->count; i++) {
        const Others *others = &found->others[i];
        for (uint32_t e = 0; e < (uint32_t)contexts->options.echoes; e++)
            if (others->echo[e] != NO_ECHO) contexts->count[contexts->phrases_end + e * CHARACTERS + others->echo[e]]++;
        if (others->column != NO_COLUMN) contexts->count[contexts->echoes_end + others->column]++;
    }
}

size_t rows_beside(const Contexts *contexts, const Others *others, uint32_t *rows) {
    size_t count = 0;
    for (int w = 0; w < PHRASE_WORDS; w++)
        if (others->phrase[w] != NO_ROW) rows[count++] = others->phrase[w];
    for (uint32_t e = 0; e < (uint32_t)contexts->options.echoes; e++)
        if (others->echo[e] != NO_ECHO) rows[count++] = contexts->phrases_end + e * CHARACTERS + others->echo[e];
    if (others->column != NO_COLUMN) rows[count++] = contexts->echoes_end + others->column;
    return count;
}

size_t rows_on(const Contexts *contexts, uint32_t ngram, const Others *others, uint32_t *rows) {
    size_t count = 0;
    for (uint32_t row = ngram; row != NO_ROW; row = contexts->parent[row]) rows[count++] = row;
    return others ? count + rows_beside(contexts, others, rows + count) : count;
}

size_t most_rows_on(const Contexts *contexts) {
    const RowOptions *options = &contexts->options;
    return (size_t)options->order + (options->phrases ? PHRASE_WORDS : 0) + (size_t)options->echoes + options->columns;
}

/* ---- one character at a time ----------------------------------------------------------------- */

struct Stream {
    const Contexts *contexts;
    uint8_t *text; /* [2 ECHO_WINDOW] a ring of the latest characters */
    uint64_t length;
    PhraseWalk walk;
    EchoMemory memory[MAX_ECHOES];
    uint32_t ngram;
    Others others;
};

enum { STREAM_RING = 2 * ECHO_WINDOW - 1 };

Stream *stream_start(const Contexts *contexts) {
    Stream *stream = allocate(1, sizeof *stream, "the context");
    stream->contexts = contexts;
    stream->text = allocate(STREAM_RING + 1, 1, "the context");
    stream->walk = phrase_walk_start();
    stream->ngram = NO_ROW;
    stream->others = nothing_else;
    for (int e = 0; e < contexts->options.echoes; e++) stream->memory[e] = echo_start(contexts->options.echo_keys[e]);
    return stream;
}

void stream_push(Stream *stream, uint8_t id) {
    const Contexts *contexts = stream->contexts;
    Others *others = &stream->others;
    stream->text[stream->length++ & STREAM_RING] = id;
    stream->ngram = id;
    for (uint64_t k = 2; k <= (uint64_t)contexts->options.order && k <= stream->length; k++) {
        uint32_t longer = child_row(contexts, stream->ngram, stream->text[(stream->length - k) & STREAM_RING]);
        if (longer == NO_ROW) break;
        stream->ngram = longer;
    }
    if (contexts->options.phrases) phrase_walk_step(contexts, &stream->walk, id);
    memcpy(others->phrase, stream->walk.row, sizeof others->phrase);
    for (int e = 0; e < contexts->options.echoes; e++)
        others->echo[e] = echo_step(&stream->memory[e], stream->text, STREAM_RING, (uint32_t)stream->length);
    if (contexts->options.columns) others->column = next_column(others->column == NO_COLUMN ? 0 : others->column, id);
}

size_t stream_rows(const Stream *stream, uint32_t *rows) { return rows_on(stream->contexts, stream->ngram, &stream->others, rows); }

void stream_end(Stream *stream) {
    for (int e = 0; e < stream->contexts->options.echoes; e++) echo_end(&stream->memory[e]);
    free(stream->text);
    free(stream);
}
