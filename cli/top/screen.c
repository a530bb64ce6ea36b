/* screen.c - the terminal and its keys. */
/* SPDX-License-Identifier: MIT */
#include "cli/top/top.h"

#include <locale.h>
#include <ncurses.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/common/say.h"

enum {
	KEYS_LINE = 1,
	ESCAPE = 27,
	ESCAPE_MS = 25 /* between the key and a sequence that begins with it */
};

static const char keys[] = "q quit  s sort  / filter  j,k select  Enter stack  Space freeze";
static const char keys_narrow[] = "q quit s sort / filter j,k select Enter stack Space freeze";

static void begin_screen(void)
{
	static const short colours[][2] = {[TOP_PLAIN] = {-1, -1},
		[TOP_TITLE] = {-1, -1},
		[TOP_HEAD] = {COLOR_CYAN, -1},
		[TOP_FINDING] = {COLOR_RED, -1},
		[TOP_WAITING] = {COLOR_YELLOW, -1},
		[TOP_SELECTED] = {-1, -1}};

	(void)setlocale(LC_CTYPE, "");
	(void)initscr();
	(void)cbreak();
	(void)noecho();
	(void)keypad(stdscr, TRUE);
	(void)set_escdelay(ESCAPE_MS);
	(void)curs_set(0);
	if (!say_color(stdout) || !has_colors())
		return;
	(void)start_color();
	(void)use_default_colors();
	for (short i = 0; i < (short)ARRAY_SIZE(colours); i++)
		(void)init_pair((short)(i + 1), colours[i][0], colours[i][1]);
}

static void draw_line(void *arg, enum top_kind kind, const char *line)
{
	int *y = arg;
	attr_t bold = kind == TOP_TITLE || kind == TOP_FINDING ? A_BOLD : A_NORMAL;

	(void)attrset(bold | (kind == TOP_SELECTED ? A_REVERSE : A_NORMAL) |
		      (has_colors() ? (attr_t)COLOR_PAIR(kind + 1) : A_NORMAL));
	(void)mvaddstr((*y)++, 0, line);
	(void)attrset(A_NORMAL);
}

static void draw(struct top_look *look, struct top_view *view, const char *title)
{
	int y = 0;

	(void)erase();
	if (LINES > KEYS_LINE && COLS > 0)
		top_lines(
			look, view, title, (size_t)COLS, (size_t)LINES - KEYS_LINE, draw_line, &y);
	(void)attrset(A_DIM);
	(void)mvaddnstr(LINES - 1, 0, COLS < (int)sizeof keys ? keys_narrow : keys, COLS);
	(void)attrset(A_NORMAL);
	(void)refresh();
}

/* Asks for a filter on the last line; Enter alone shows all. */
static void ask_filter(struct top_view *view)
{
	char typed[sizeof view->filter] = "";

	(void)timeout(-1);
	(void)echo();
	(void)move(LINES - 1, 0);
	(void)clrtoeol();
	(void)addstr("filter: ");
	(void)getnstr(typed, sizeof typed - 1);
	(void)noecho();
	(void)snprintf(view->filter, sizeof view->filter, "%s", typed);
	view->selected = view->first = 0;
}

/* Returns false if the user quits. */
static bool take_key(struct top_view *view, int key)
{
	switch (key) {
	case 'q':
		return false;
	case 's':
		view->order = (view->order + 1) % TOP_ORDERS;
		break;
	case '/':
		ask_filter(view);
		break;
	case ' ':
		view->frozen = !view->frozen;
		break;
	case '\n':
	case KEY_ENTER:
		view->has_details = !view->has_details;
		break;
	case ESCAPE:
		view->has_details = false;
		view->filter[0] = '\0';
		break;
	case KEY_DOWN:
	case 'j':
		view->selected++;
		break;
	case KEY_UP:
	case 'k':
		view->selected -= view->selected > 0;
		break;
	default:
		break;
	}
	return true;
}

int top_screen(
	struct top_source *src, const char *(*title)(void *arg), void *arg, int64_t interval_ns)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct top_view view = {.order = TOP_BY_WAIT};
	struct top_look look = {0};
	uint64_t next = 0;
	bool goes_on = true;
	int rc = 0;

	begin_screen();
	while (goes_on && !rc) {
		uint64_t now = clock_now();

		if (now >= next && !view.frozen) {
			top_look_done(&look);
			rc = top_look(src, &look, &why);
			next = clock_now() + (uint64_t)interval_ns;
			now = clock_now();
		}
		draw(&look, &view, title(arg));
		(void)timeout(view.frozen  ? -1
			      : next > now ? (int)((next - now) / 1000000) + 1
					   : 0);
		goes_on = rc || take_key(&view, getch());
	}
	top_look_done(&look);
	(void)endwin();
	if (rc)
		warn("top: %s", why.data);
	return rc ? 1 : 0;
}
