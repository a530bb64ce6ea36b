/* style.h - the colours and fonts of all pictures. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_STYLE_H
#define VIEWER_DRAW_STYLE_H

/*
 * The accents are those of Okabe and Ito, which colour-blind people can tell
 * apart; each stands beside a word, a mark or a line style that says the same.
 * A page replaces them by class for dark mode.
 */
#define STYLE_FONT "Helvetica,Arial,sans-serif"
#define STYLE_INK "#1f2937"    /* text */
#define STYLE_GREY "#5b6472"   /* secondary text */
#define STYLE_LINE "#94a3b8"   /* borders, edges */
#define STYLE_FAINT "#e5e7eb"  /* grid */
#define STYLE_PAPER "#ffffff"  /* background */
#define STYLE_BOX "#f8fafc"    /* a process */
#define STYLE_THREAD "#eef6fb" /* a thread */
#define STYLE_RUN "#4b83b0"    /* a thread that runs */
#define STYLE_READY "#c9dcea"  /* one that could run */
#define STYLE_RED "#d00000"    /* deadlock */
#define STYLE_ORANGE "#b45309" /* a mark in words: warning */
#define STYLE_GREEN "#00734f"  /* fine */
#define STYLE_BLUE "#0072b2"
#define STYLE_PURPLE "#9d4e7c"

#endif
