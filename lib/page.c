#include "page.h"

#include "fail.h"
#include "format.h"
#include "memory.h"
#include "projection.h"
#include "report.h"
#include "start.h"
#include "sampling.h"
#include "snapshots.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything the page shows. */
typedef struct {
    FILE *file;
    const SavedModel *saved;
    uint32_t rows[CHARACTERS]; /* the characters that were seen */
    size_t count;
    Start start;
    Snapshots snapshots; /* at least one: the last are the saved rows */
    double (*place)[2];  /* [snapshots][count] on the page, pixels */
    Projection projection;
} Page;

/* In units that are 1.3 pixels on a wide screen and 0.6 on a telephone, where letters must be legible, too. */
enum { MAP_WIDTH = 560, MAP_HEIGHT = 480, CURVE_WIDTH = 560, CURVE_HEIGHT = 300, LEFT = 46, BOTTOM = 34, SHOWN_NUMBERS = 128 };

/* Text between tags or in an attribute. */
static void put_escaped(FILE *file, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", file); break;
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '"': fputs("&quot;", file); break;
        case '\'': fputs("&#39;", file); break;
        case '\n': case '\t': fputc(*text, file); break;
        default: /* HTML knows no other control characters */
            if ((unsigned char)*text < ' ' || *text == 127) fprintf(file, "\\x%02x", (unsigned)*text);
            else fputc(*text, file);
        }
    }
}

static const char *told(const Page *page, const char *key) {
    const char *value = metadata_find(&page->saved->file, key);
    return value ? value : "";
}

/* ---- the map ---------------------------------------------------------------------------------- */

/* Every snapshot on the plane of the last one, so that what moves on the page moved in the table. */
static void place_snapshots(Page *page) {
    size_t dim = page->saved->model.dim, n = page->snapshots.count, count = page->count;
    page->projection = projection_make(page->saved->model.embedding, dim, page->rows, count);
    page->place = allocate(n * count, sizeof *page->place, "the page");
    double low[2] = {1e300, 1e300}, high[2] = {-1e300, -1e300}, (*offset)[2] = allocate(count, sizeof *offset, "the page");
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < count; i++) {
            double *place = page->place[s * count + i];
            project(&page->projection, page->snapshots.rows + (s * CHARACTERS + page->rows[i]) * dim, &place[0], &place[1]);
            for (int a = 0; a < 2; a++) low[a] = fmin(low[a], place[a]), high[a] = fmax(high[a], place[a]);
        }
    for (size_t p = 0; p < n * count; p++)
        for (int a = 0; a < 2; a++) {
            double size = (a ? MAP_HEIGHT : MAP_WIDTH) - 60, share = high[a] > low[a] ? (page->place[p][a] - low[a]) / (high[a] - low[a]) : 0.5;
            page->place[p][a] = 30 + size * (a ? 1 - share : share);
        }
    spread_marks((const double(*)[2])page->place + (n - 1) * count, page->rows, count, offset);
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < count; i++)
            for (int a = 0; a < 2; a++) {
                double edge = a ? MARK_RADIUS : mark_radius(page->rows[i]), *at = &page->place[s * count + i][a];
                *at = fmin((a ? MAP_HEIGHT : MAP_WIDTH) - edge, fmax(edge, *at + offset[i][a] * (n > 1 ? (double)s / (double)(n - 1) : 1)));
            }
    free(offset);
}

/* The three characters whose rows point most nearly the same way. */
static void put_neighbours(const Page *page, size_t i) {
    size_t dim = page->saved->model.dim;
    const float *table = page->saved->model.embedding, *own = table + page->rows[i] * dim;
    bool used[CHARACTERS] = {false};
    used[i] = true;
    for (int n = 0; n < 3; n++) {
        double best = -2;
        size_t nearest = page->count;
        for (size_t j = 0; j < page->count; j++) {
            double product = 0;
            const float *other = table + page->rows[j] * dim;
            for (size_t d = 0; d < dim; d++) product += (double)own[d] * (double)other[d];
            double length = exact_norm(own, dim, 2) * exact_norm(other, dim, 2),
                   cosine = length > 0 ? product / length : 0;
            if (!used[j] && cosine > best) best = cosine, nearest = j;
        }
        if (nearest == page->count) return;
        char name[8];
        used[nearest] = true;
        fputs(n ? ", " : "; nearest at the end: ", page->file);
        put_escaped(page->file, character_name(character_of((uint8_t)page->rows[nearest]), name));
        fprintf(page->file, " (%.2f)", best);
    }
}

/* A character's way over the run, a faint line: what moves is seen without script, too. */
static void put_trail(const Page *page, size_t i) {
    fprintf(page->file, "<path class=\"trail k%d\" d=\"", (int)character_kind(character_of((uint8_t)page->rows[i])));
    for (size_t s = 0; s < page->snapshots.count; s++)
        fprintf(page->file, "%c%.0f %.0f", s ? 'L' : 'M', page->place[s * page->count + i][0], page->place[s * page->count + i][1]);
    fprintf(page->file, "\"/>\n");
}

static void put_map(Page *page) {
    FILE *file = page->file;
    const double(*place)[2] = (const double(*)[2])page->place + (page->snapshots.count - 1) * page->count;
    fprintf(file, "<svg id=map viewBox=\"0 0 %d %d\" role=img aria-label=\"map of the characters\">\n", MAP_WIDTH, MAP_HEIGHT);
    for (size_t i = 0; i < page->count && page->snapshots.count > 1; i++) put_trail(page, i);
    for (size_t i = 0; i < page->count; i++) {
        char name[8], number[32], character = character_of((uint8_t)page->rows[i]);
        character_name(character, name);
        fprintf(file, "<g class=\"c k%d%s\" transform=\"translate(%.1f %.1f)\"><ellipse rx=%.0f ry=%d /><text dy=%d>", (int)character_kind(character), name[1] ? " long" : "",
                place[i][0], place[i][1], mark_radius(page->rows[i]), MARK_RADIUS, name[1] ? 4 : 5);
        put_escaped(file, name);
        fprintf(file, "</text><title>");
        put_escaped(file, name);
        fprintf(file, ": row %u, seen %s times", (unsigned)page->rows[i], grouped(page->saved->vocabulary.count[page->rows[i]], number));
        if (page->start.known) fprintf(file, ", moved %.2f in all", distance_moved(page->saved, &page->start, page->rows[i]));
        put_neighbours(page, i);
        fprintf(file, "</title></g>\n");
    }
    fprintf(file, "</svg>\n<p class=legend>");
    bool shown[CHARACTER_KINDS] = {false};
    for (size_t i = 0; i < page->count; i++) shown[character_kind(character_of((uint8_t)page->rows[i]))] = true;
    for (int k = 0; k < CHARACTER_KINDS; k++)
        if (shown[k]) fprintf(file, "<span class=k%d><i></i>%s</span> ", k, character_kind_name((CharacterKind)k));
    fprintf(file, "</p>\n");
}

/* The numbers of a row as bars, and what is known of it, under the map: when one points at its mark, or touches it. */
static void put_pointing(Page *page) {
    FILE *file = page->file;
    size_t dim = page->saved->model.dim, shown = dim < SHOWN_NUMBERS ? dim : SHOWN_NUMBERS;
    fprintf(file, "<script>\nconst marks=[...document.querySelectorAll('#map .c')],numbers=[");
    for (size_t i = 0; i < page->count; i++) {
        fprintf(file, "%s[", i ? ",\n" : "");
        for (size_t d = 0; d < shown; d++) fprintf(file, "%s%.3g", d ? "," : "", (double)page->saved->model.embedding[page->rows[i] * dim + d]);
        fprintf(file, "]");
    }
    fprintf(file, "];\n"
                  "const most=Math.max(...numbers.flat().map(Math.abs))||1;\n"
                  "function about(i){const wide=560/numbers[i].length;\n"
                  " document.getElementById('about').textContent=marks[i].querySelector('title').textContent;\n"
                  " document.getElementById('row').innerHTML=numbers[i].map((x,d)=>{const high=28*Math.abs(x)/most;\n"
                  "  return `<rect x=${d*wide} y=${x<0?30:30-high} width=${wide*.8} height=${high}><title>${d}: ${x}</title></rect>`}).join('');\n"
                  " document.getElementById('row').setAttribute('class',marks[i].getAttribute('class').split(' ')[1]);\n"
                  " marks.forEach((m,j)=>m.classList.toggle('on',i==j))}\n"
                  "marks.forEach((m,i)=>{m.onpointerenter=m.onclick=()=>about(i)});\n"
                  "document.getElementById('row').removeAttribute('hidden');about(0);\n</script>\n");
}

/* Play, pause, slider: all places of all snapshots, tenths of a unit. */
static void put_script(Page *page) {
    FILE *file = page->file;
    size_t n = page->snapshots.count;
    if (n < 2) return;
    fprintf(file, "<script>\nconst steps=[");
    for (size_t s = 0; s < n; s++) fprintf(file, "%s%lld", s ? "," : "", (long long)page->snapshots.steps[s]);
    fprintf(file, "],places=[");
    for (size_t s = 0; s < n; s++) {
        fprintf(file, "%s[", s ? ",\n" : "");
        for (size_t i = 0; i < page->count; i++)
            fprintf(file, "%s%.0f,%.0f", i ? "," : "", 10 * page->place[s * page->count + i][0], 10 * page->place[s * page->count + i][1]);
        fprintf(file, "]");
    }
    fprintf(file, "];\n"
                  "const slider=document.getElementById('slider'),play=document.getElementById('play');\n"
                  "let timer=0;\n"
                  "function show(t){const a=Math.floor(t),b=Math.min(a+1,steps.length-1),f=t-a;\n"
                  " marks.forEach((m,i)=>{const at=k=>(places[a][2*i+k]*(1-f)+places[b][2*i+k]*f)/10;m.setAttribute('transform',`translate(${at(0)} ${at(1)})`)});\n"
                  " slider.value=t;document.getElementById('step').textContent=steps[Math.round(t)]}\n"
                  "function pause(){cancelAnimationFrame(timer);timer=0;play.textContent='play'}\n"
                  "function run(){let t=+slider.value>=steps.length-1?0:+slider.value,last=0;play.textContent='pause';\n"
                  " const tick=now=>{t=Math.min(steps.length-1,t+(last?now-last:0)/150);last=now;show(t);if(t<steps.length-1)timer=requestAnimationFrame(tick);else pause()};\n"
                  " timer=requestAnimationFrame(tick)}\n"
                  "slider.max=steps.length-1;document.getElementById('controls').hidden=false;\n"
                  "slider.oninput=()=>{pause();show(+slider.value)};play.onclick=()=>timer?pause():run();\n"
                  "show(location.hash?Math.min(steps.length-1,+location.hash.slice(1)||0):steps.length-1);\n</script>\n");
}

/* ---- the curve -------------------------------------------------------------------------------- */

typedef struct {
    double characters, train, held_out;
} Point;

/* The rows of a log, up to the first that no run can have written. */
static size_t read_points(const char *path, Point *points, size_t most) {
    Log log;
    size_t count = 0;
    (void)log_load(&log, path, SIZE_MAX);
    for (const char *line = strchr(log.text, '\n') + 1;
         line < log.text + log.length && count < most; line = strchr(line, '\n') + 1)
        count += sscanf(line, "%*f,%*f,%lf,%lf,%lf", &points[count].characters,
                        &points[count].train, &points[count].held_out) == 3;
    log_free(&log);
    return count;
}

/* An entropy of the training text that the model tells; 0 when it tells none that can be. */
static double told_entropy(const Page *page, const char *key) {
    double entropy = metadata_number(&page->saved->file, key, 0);
    return entropy >= 0 && entropy <= log(CHARACTERS) + 0.001 ? entropy : 0;
}

static double curve_x(double characters, double most) { return LEFT + (CURVE_WIDTH - LEFT - 20) * (most > 0 ? characters / most : 0); }
static double curve_y(double loss, double low, double high) { return 12 + (CURVE_HEIGHT - BOTTOM - 12) * (high - loss) / (high - low); }

static void put_curve(Page *page, const char *log_path) {
    enum { MOST = 5000 };
    FILE *file = page->file;
    Point *points = allocate(MOST, sizeof *points, "the page");
    size_t count = read_points(log_path, points, MOST);
    double low = 1e300, most = count ? points[count - 1].characters : 0, high = log(CHARACTERS) + 0.1;
    for (size_t i = 0; i < count; i++) low = fmin(low, fmin(points[i].train, points[i].held_out)), high = fmax(high, fmax(points[i].train, points[i].held_out) + 0.1);
    low = floor(low * 2) / 2;
    high = fmax(high, low + 1e-6 * low); /* where losses are so large that 0.1 is nothing */
    if (count < 2) {
        fprintf(file, "<p>No curve: there is no loss.csv of a run beside the model.</p>\n");
        free(points);
        return;
    }
    fprintf(file, "<svg id=curve viewBox=\"0 0 %d %d\" role=img aria-label=\"loss against characters\">\n", CURVE_WIDTH, CURVE_HEIGHT);
    double between = pow(10, floor(log10(high - low))); /* of lines: 1, 2 or 5 times a power of ten, some three to eight of them */
    if ((high - low) / between < 3) between /= 2;
    double loss = low;
    for (int g = 0; g < 12 && loss <= high; g++, loss = low + g * between)
        fprintf(file, "<path class=grid d=\"M%d %.1fH%d\"/><text class=axis x=%d y=%.1f text-anchor=end>%.1f</text>\n", LEFT, curve_y(loss, low, high), CURVE_WIDTH - 20, LEFT - 6,
                curve_y(loss, low, high) + 4, loss);
    struct {
        const char *name;
        double loss;
    } yardsticks[] = {{"knows nothing", log(CHARACTERS)},
                      {"characters' frequencies", told_entropy(page, "unigram_entropy")},
                      {"pairs' frequencies", told_entropy(page, "conditional_entropy")}};
    for (int y = 0; y < 3; y++)
        if (yardsticks[y].loss > low)
            fprintf(file, "<path class=yardstick d=\"M%d %.1fH%d\"/>\n", LEFT, curve_y(yardsticks[y].loss, low, high), CURVE_WIDTH - 20);
    for (int series = 0; series < 2; series++) {
        fprintf(file, "<path class=\"line s%d\" d=\"", series);
        for (size_t i = 0; i < count; i++)
            fprintf(file, "%c%.1f %.1f", i ? 'L' : 'M', curve_x(points[i].characters, most), curve_y(series ? points[i].held_out : points[i].train, low, high));
        fprintf(file, "\"/>\n");
    }
    double ends = fmax(points[count - 1].train, points[count - 1].held_out), free_from = 0;
    for (int y = 0; y < 3; y++) { /* above its line, or below where the curve ends just above; from the top down, none on another */
        double line = curve_y(yardsticks[y].loss, low, high), above = line - curve_y(ends, low, high);
        double at = fmax(free_from, above >= 0 && above < 24 ? line + 16 : line - 5);
        if (yardsticks[y].loss <= low) continue;
        free_from = at + 17;
        fprintf(file, "<text class=axis x=%d y=%.1f text-anchor=end>%s %.3f</text>\n", CURVE_WIDTH - 22, at, yardsticks[y].name, yardsticks[y].loss);
    }
    char number[32];
    fprintf(file, "<text class=axis x=%d y=%d>0</text><text class=axis x=%d y=%d text-anchor=end>%s characters</text>\n</svg>\n", LEFT, CURVE_HEIGHT - 12, CURVE_WIDTH - 20,
            CURVE_HEIGHT - 12, grouped((size_t)most, number));
    fprintf(file, "<p class=legend><span class=s0><i></i>training %.3f</span> <span class=s1><i></i>held out %.3f</span> nats per character</p>\n", points[count - 1].train,
            points[count - 1].held_out);
    free(points);
}

/* ---- what moved, a sample, the settings -------------------------------------------------------- */

static void put_moves(Page *page) {
    FILE *file = page->file;
    if (!page->start.known) {
        fprintf(file, "<p>The run started from another model's rows, or the file does not tell, so "
                      "how far they moved is not known.</p>\n");
        return;
    }
    double distance[CHARACTERS];
    Candidate order[CHARACTERS];
    for (uint32_t c = 0; c < CHARACTERS; c++)
        distance[c] = distance_moved(page->saved, &page->start, c);
    rank_characters(distance, order);
    size_t still = 0;
    fprintf(file, "<div class=bars>\n");
    for (int i = 0; i < CHARACTERS; i++) {
        char name[8], number[32], character = character_of(order[i].id);
        still += order[i].value == 0;
        if (order[i].value == 0) continue;
        fprintf(file, "<div class=k%d><b>", (int)character_kind(character));
        put_escaped(file, character_name(character, name));
        fprintf(file, "</b><s style=\"width:%.1f%%\"></s><em>%.2f, seen %s</em></div>\n",
                55 * (order[i].value / order[0].value), order[i].value,
                grouped(page->saved->vocabulary.count[order[i].id], number));
    }
    fprintf(file, "</div>\n<p>%zu rows of characters that were never on did not move by one bit.</p>\n", still);
}

static void put_sample(Page *page) {
    enum { LENGTH = 700 };
    Stream *stream = stream_start(&page->saved->vocabulary);
    Random random = random_seeded(1);
    float logits[LOGITS];
    stream_begin(stream, &page->saved->vocabulary);
    fprintf(page->file, "<pre>");
    for (int i = 0; i < LENGTH; i++) {
        if (!finite_logits(page->saved, stream, logits)) {
            fprintf(page->file,
                    " (the model's numbers are so large that a sum of them is not finite)");
            break;
        }
        uint8_t id = draw_character(logits, (Sampling){.temperature = 0.6, .top_p = 1}, &random);
        stream_push(stream, id);
        put_escaped(page->file, (char[]){character_of(id), '\0'});
    }
    fprintf(page->file, "</pre>\n");
    stream_end(stream);
}

static void put_settings(Page *page) {
    fprintf(page->file, "<table>\n");
    const Metadata *metadata = &page->saved->file.metadata;
    const char *key = NULL;
    while ((key = metadata_next(metadata, key))) {
        fprintf(page->file, "<tr><th>");
        put_escaped(page->file, key);
        fprintf(page->file, "<td>");
        put_escaped(page->file, metadata_value(key));
        fprintf(page->file, "\n");
    }
    fprintf(page->file, "</table>\n");
}

/* ---- the page --------------------------------------------------------------------------------- */

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1d1f23;--faint:#6b7078;--line:#d9dce1;--k0:#c81e4a;--k1:#1d4ed8;--k2:#047857;--k3:#7c3aed;--k4:#a16207;--k5:#6b7280;--s0:#94a3b8;--s1:#c2410c}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#16181c;--ink:#e8e9eb;--faint:#9aa0a8;--line:#343840;--k0:#ff7a93;--k1:#7aa7ff;--k2:#4ade80;--k3:#c4a5ff;--k4:#eab308;--k5:#9ca3af;--s0:#64748b;--s1:#fb923c}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:780px;padding:1.2rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.5rem 0}svg{width:100%;height:auto;display:block}\n"
    "#map{border:1px solid var(--line);border-radius:6px}.trail{fill:none;stroke:var(--k);opacity:.15}.c ellipse{fill:var(--k);opacity:.16}.c text{fill:var(--k);font:600 15px ui-monospace,monospace;text-anchor:middle}.c.long text{font-size:12px}.c:hover ellipse,.c.on ellipse{opacity:.5}\n"
    "#about{min-height:1.5em;font-size:.9rem}#row rect{fill:var(--k)}#row{border-bottom:1px solid var(--line)}svg[hidden]{display:none}\n"
    ".k0{--k:var(--k0)}.k1{--k:var(--k1)}.k2{--k:var(--k2)}.k3{--k:var(--k3)}.k4{--k:var(--k4)}.k5{--k:var(--k5)}.s0{--k:var(--s0)}.s1{--k:var(--s1)}\n"
    ".legend{color:var(--faint);font-size:.9rem}.legend span{white-space:nowrap;margin-right:.8em}.legend i{display:inline-block;width:.7em;height:.7em;border-radius:50%;background:var(--k);margin-right:.35em}\n"
    ".grid{stroke:var(--line);stroke-width:.6}.yardstick{stroke:var(--faint);stroke-dasharray:5 4}.axis{fill:var(--faint);font:12px system-ui,sans-serif;paint-order:stroke;stroke:var(--paper);stroke-width:3}@media(max-width:560px){.axis{font-size:17px}}.line{fill:none;stroke:var(--k);stroke-width:2.2}\n"
    "#controls{display:flex;gap:.8rem;align-items:center;margin:.6rem 0}#controls[hidden]{display:none}#slider{flex:1;min-width:0}button{font:inherit;padding:.2rem .9rem}\n"
    ".bars{columns:2;column-gap:1.5rem;font-size:.85rem}@media(max-width:560px){.bars{columns:1}}.bars div{display:flex;align-items:center;gap:.5rem;break-inside:avoid}\n"
    ".bars b{width:3.2em;text-align:right;font-family:ui-monospace,monospace}.bars s{height:.75em;background:var(--k);border-radius:2px;min-width:1px}.bars em{color:var(--faint);font-style:normal;white-space:nowrap}\n"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid var(--line);padding-left:1rem;font:14px/1.45 ui-monospace,monospace}\n"
    "table{border-collapse:collapse;font-size:.85rem}th{text-align:left;font-weight:400;color:var(--faint);padding-right:1.5rem;vertical-align:top}td{overflow-wrap:anywhere}\n";

/* A path beside the model. */
static void beside(const char *model_path, const char *name, char *path) {
    const char *slash = strrchr(model_path, '/');
    int folder = slash ? (int)(slash - model_path + 1) : 0;
    if (snprintf(path, PATH_MAX, "%.*s%s", folder, model_path, name) >= PATH_MAX)
        fail("%s: this name is too long", model_path);
}

/* The snapshots up to the saved model's step, and its own rows as the last, so that the map ends at what the file holds.
   Snapshots that are no numbers, or of another run (whose first rows are not this one's start), are left out. */
static void take_snapshots(Page *page, const char *model_path) {
    char path[PATH_MAX];
    size_t dim = page->saved->model.dim, size = CHARACTERS * dim, step = metadata_count(&page->saved->file, "best_step"), count = 0;
    Snapshots found = snapshots_start(dim);
    beside(model_path, "snapshots.safetensors", path);
    bool usable = found.capacity && snapshots_load(path, &found);
    for (size_t i = 0; usable && i < found.count * size; i++) usable = isfinite(found.rows[i]);
    if (usable && page->start.known) usable = !memcmp(found.rows, page->start.model.embedding, size * sizeof(float));
    while (usable && count < found.count && count < MAX_SNAPSHOTS - 1 && found.steps[count] < (int64_t)step) count++;
    page->snapshots = (Snapshots){.dim = dim, .count = count + 1, .rows = allocate(count + 1, size * sizeof(float), "the page")};
    memcpy(page->snapshots.rows, found.rows, count * size * sizeof(float));
    memcpy(page->snapshots.steps, found.steps, count * sizeof *found.steps);
    memcpy(page->snapshots.rows + count * size, page->saved->model.embedding, size * sizeof(float));
    page->snapshots.steps[count] = (int64_t)step;
    snapshots_free(&found);
}

void page_write(const SavedModel *saved, const char *model_path, const char *folder) {
    char path[PATH_MAX], number[32];
    Page page = {.saved = saved, .start = start_of(saved)};
    page.count = characters_seen(saved, page.rows);
    take_snapshots(&page, model_path);
    place_snapshots(&page);
    if (snprintf(path, sizeof path, "%s/report.html", folder) >= (int)sizeof path) fail("%s: this name is too long", folder);
    page.file = fopen(path, "w");
    if (!page.file) fail("%s: cannot be written: %s; name another folder with --out", path, strerror(errno));
    fprintf(page.file, "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\">\n<title>The rows of an embedding</title>\n"
                       "<style>\n%s</style>\n<h1>%s rows, trained by backpropagation</h1>\n", style, grouped(saved->vocabulary.rows, number));
    fprintf(page.file, "<p>Embedding &rarr; Linear &rarr; softmax, held out %s nats per character.</p>\n", told(&page, "val_loss"));
    fprintf(page.file, "<h2>The characters' rows, from random to trained</h2>\n<p id=controls hidden><button id=play>play</button><input id=slider type=range min=0 step=any "
                       "aria-label=\"moment of the run\"><span>batch <span id=step></span></span></p>\n");
    put_map(&page);
    fprintf(page.file, "<p>The plane on which the trained rows (dim %zu) differ most: %.0f%% of their variance lies across, %.0f%% along. At the end of the run marks that would cover each other are moved apart a "
                       "little; faint lines show the ways they came.</p>\n<p id=about></p><svg id=row viewBox=\"0 0 560 60\" role=img aria-label=\"the row's numbers\" hidden></svg>\n", saved->model.dim, 100 * page.projection.share[0], 100 * page.projection.share[1]);
    fprintf(page.file, "<h2>Loss</h2>\n");
    beside(model_path, "loss.csv", path);
    put_curve(&page, path);
    fprintf(page.file, "<h2>How far each row moved</h2>\n");
    put_moves(&page);
    fprintf(page.file, "<h2>A sample</h2>\n");
    put_sample(&page);
    fprintf(page.file, "<h2>The run</h2>\n");
    put_settings(&page);
    put_pointing(&page);
    put_script(&page);
    bool failed = ferror(page.file) != 0;
    if (fclose(page.file) || failed) fail("%s/report.html: cannot be written: %s", folder, strerror(errno));
    printf("%s/report.html\n", folder);
    free(page.place);
    projection_free(&page.projection);
    snapshots_free(&page.snapshots);
    start_free(&page.start);
}
