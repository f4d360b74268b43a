/* Makes the lists of the page searchable, filterable and sortable. The page is complete without it.
   Each list has its rows as JSON beside a table. Rows become elements only near the visible part of the list, a chunk at a time.
   Values reach the page as text nodes alone, so nothing in them is ever read as markup. */
(function () {
  'use strict';
  var CHUNK = 200, ROW_HEIGHT = 41, PRINTED = 2000, FIELDS_SHOWN = 6, CHOICES = 12, FEW = 5;

  function element(name, attributes, children) {
    var e = document.createElement(name), key;
    for (key in attributes) e.setAttribute(key, attributes[key]);
    (children || []).forEach(function (child) {
      e.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
    });
    return e;
  }

  function number(n) {
    return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
  }

  function counted(n, noun) {
    return number(n) + ' ' + noun + (n === 1 ? '' : 's');
  }

  /* ---- cells ---- */

  function value(v) {
    if (v === 0) return element('i', {}, ['not known']);
    if (v === null) return element('i', {}, ['cleared']);
    if (v === '') return element('i', {}, ['empty']);
    return element('bdi', {}, [v]);
  }

  /* f: [field, before, removed, added, after, cut] */
  function marked(f, name, different) {
    var parts = [(f[5] & 1 ? '\u2026' : '') + f[1]];
    if (different !== '') parts.push(element(name, {}, [different]));
    parts.push(f[4] + (f[5] & 2 ? '\u2026' : ''));
    return element('bdi', {}, parts);
  }

  function arrow() {
    return element('span', {'class': 'to'}, [' \u2192 ']);
  }

  function field(data, f) {
    var parts = [element('b', {}, [data.fields[f[0]]]), ' '];
    if (f.length === 2) parts.push(value(f[1]));
    else if (f.length === 3) parts.push(value(f[1]), arrow(), value(f[2]));
    else parts.push(marked(f, 'del', f[2]), arrow(), marked(f, 'ins', f[3]));
    return element('li', {}, parts);
  }

  function fields(data, list) {
    if (list.length === 0) return [];
    var items = list.map(function (f) { return field(data, f); });
    var shown = element('ul', {}, items.slice(0, FIELDS_SHOWN));
    if (items.length <= FIELDS_SHOWN) return [shown];
    return [shown, element('details', {}, [
      element('summary', {}, [number(items.length - FIELDS_SHOWN) + ' more']),
      element('ul', {}, items.slice(FIELDS_SHOWN))
    ])];
  }

  /* A word with its colour. */
  function isTag(column, cell) {
    return Array.isArray(cell) && column.kind !== 'fields';
  }

  function content(data, column, cell) {
    if (cell === null) return [];
    if (column.kind === 'fields') return fields(data, cell);
    if (isTag(column, cell)) return [element('span', {'class': 'tag ' + cell[1]}, [cell[0]])];
    return typeof cell === 'number' ? [number(cell)] : [element('bdi', {}, [cell])];
  }

  function tableRow(data, row, index) {
    return element('tr', {role: 'row', 'aria-rowindex': String(index + 2)}, row.map(function (cell, i) {
      var column = data.columns[i];
      return element('td', {role: 'cell', 'class': column.kind + (column.empty ? ' void' : ''), 'data-l': column.title},
        content(data, column, cell));
    }));
  }

  /* ---- what is searched, filtered and sorted by ---- */

  function plain(data, column, cell) {
    if (cell === null) return '';
    if (isTag(column, cell)) return cell[0];
    if (column.kind !== 'fields') return String(cell);
    return cell.map(function (f) {
      var name = data.fields[f[0]];
      if (f.length > 3) return name + ' ' + f[1] + f[2] + f[4] + ' ' + f[1] + f[3] + f[4];
      return name + ' ' + f.slice(1).filter(function (v) { return v; }).join(' ');
    }).join(' ');
  }

  function compare(column, a, b) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    if (column.kind === 'fields') return a.length - b.length;
    if (Array.isArray(a)) { a = a[0]; b = b[0]; }
    return a < b ? -1 : a > b ? 1 : 0;
  }

  /* The values of a column with how often each occurs, if there are few: such a column can be filtered by. */
  function choices(data, column, i) {
    var counts = new Map(), n, v;
    if (column.empty || column.kind === 'number' || column.kind === 'name' || column.kind === 'id') return null;
    function count(v) {
      counts.set(v, (counts.get(v) || 0) + 1);
    }
    if (column.kind === 'fields') {
      v = data.fields.map(function () { return 0; });
      data.rows.forEach(function (row) {
        for (var k = 0; k < row[i].length; k++) v[row[i][k][0]]++;
      });
      v.forEach(function (n, f) { if (n > 0) counts.set(data.fields[f], n); });
    } else {
      for (n = 0; n < data.rows.length; n++) {
        count(plain(data, column, data.rows[n][i]));
        if (counts.size > CHOICES) return null;
      }
    }
    v = Array.from(counts).filter(function (pair) { return pair[0] !== ''; });
    v.sort(function (a, b) { return b[1] - a[1]; });
    return v.length > 1 && (column.kind !== 'text' || v.length * 2 <= data.rows.length) ? v : null;
  }

  /* ---- one list ---- */

  function list(section) {
    var data = JSON.parse(section.querySelector('script').textContent);
    var table = section.querySelector('table'), box = section.querySelector('.scroll');
    if (!table) return;
    var order = data.rows.map(function (row, i) { return i; }), shown = order, texts = null;
    var sorted = -1, descending = false, filters = [], status = element('p', {role: 'status', 'class': 'status'}, []);
    var search = element('input', {type: 'search', id: section.id + '-search', placeholder: 'Search', autocomplete: 'off'}, []);

    var near = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) fill(entry.target);
        else empty(entry.target);
      });
    }, {root: box, rootMargin: '1200px 0px'});

    function fill(body) {
      if (body.filled) return;
      var at = body.first, end = Math.min(at + CHUNK, shown.length), rows = document.createDocumentFragment();
      for (; at < end; at++) rows.appendChild(tableRow(data, data.rows[shown[at]], at));
      body.replaceChildren(rows);
      body.filled = true;
    }

    /* A chunk out of sight keeps its height, so that the list does not move. Unfolded rows fold. */
    function empty(body) {
      if (!body.filled) return;
      reserve(body, body.offsetHeight);
    }

    function reserve(body, height) {
      var cell = element('td', {colspan: String(data.columns.length)}, []);
      cell.style.height = height + 'px';
      body.replaceChildren(element('tr', {'class': 'gap', 'aria-hidden': 'true'}, [cell]));
      body.filled = false;
    }

    function draw() {
      var at, body;
      near.disconnect();
      Array.from(table.tBodies).forEach(function (old) { old.remove(); });
      for (at = 0; at < shown.length; at += CHUNK) {
        body = element('tbody', {role: 'rowgroup'}, []);
        body.first = at;
        table.appendChild(body);
        if (at === 0) fill(body);
        else reserve(body, ROW_HEIGHT * Math.min(CHUNK, shown.length - at));
        near.observe(body);
      }
      table.setAttribute('aria-rowcount', String(shown.length + 1));
      box.scrollTop = 0;
      status.textContent = shown.length === data.rows.length ? counted(shown.length, data.noun)
        : number(shown.length) + ' of ' + counted(data.rows.length, data.noun);
    }

    function searchTexts() {
      texts = texts || data.rows.map(function (row) {
        return row.map(function (cell, i) { return plain(data, data.columns[i], cell); }).join('\n').toLowerCase();
      });
      return texts;
    }

    /* Every word has to be in the row, and every filter has to agree. */
    function select() {
      var words = search.value.toLowerCase().split(/\s+/).filter(Boolean), all = words.length ? searchTexts() : null;
      shown = order.filter(function (i) {
        return words.every(function (word) { return all[i].includes(word); }) &&
          filters.every(function (agrees) { return agrees(data.rows[i]); });
      });
      draw();
    }

    function sort(i) {
      descending = sorted === i && !descending;
      sorted = i;
      var column = data.columns[i];
      order.sort(function (a, b) {
        var c = compare(column, data.rows[a][i], data.rows[b][i]);
        return (descending ? -c : c) || a - b;
      });
      table.querySelectorAll('thead th').forEach(function (th, n) {
        if (n === i) th.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
        else th.removeAttribute('aria-sort');
      });
      select();
    }

    /* A switch per value; without any pressed, every row is shown. */
    function switches(column, i, values) {
      var pressed = new Set();
      filters.push(function (row) { return pressed.size === 0 || pressed.has(plain(data, column, row[i])); });
      return element('div', {role: 'group', 'aria-label': column.title, 'class': 'switches'}, values.map(function (pair) {
        var button = element('button', {type: 'button', 'aria-pressed': 'false'}, [pair[0] + ' ',
          element('span', {}, [number(pair[1])])]);
        var row = data.rows.find(function (r) { return plain(data, column, r[i]) === pair[0]; });
        button.className = row[i][1];
        button.addEventListener('click', function () {
          if (!pressed.delete(pair[0])) pressed.add(pair[0]);
          button.setAttribute('aria-pressed', String(pressed.has(pair[0])));
          select();
        });
        return button;
      }));
    }

    function menu(column, i, values) {
      var box = element('select', {}, [element('option', {value: ''}, ['any'])].concat(values.map(function (pair) {
        return element('option', {value: pair[0]}, [pair[0] + ' (' + number(pair[1]) + ')']);
      })));
      filters.push(function (row) {
        if (box.value === '') return true;
        if (column.kind !== 'fields') return plain(data, column, row[i]) === box.value;
        return row[i].some(function (f) { return data.fields[f[0]] === box.value; });
      });
      box.addEventListener('change', select);
      return element('label', {}, [column.title + ' ', box]);
    }

    function hideEmpty() {
      data.columns.forEach(function (column, i) {
        column.empty = data.rows.every(function (row) { return row[i] === null || row[i].length === 0; });
        if (column.empty) table.tHead.rows[0].cells[i].classList.add('void');
      });
    }

    function tools() {
      var bar = element('div', {'class': 'tools'}, [
        element('label', {'for': search.id, 'class': 'hidden'}, ['Search ' + data.noun + 's']), search
      ]), waiting = 0;
      data.columns.forEach(function (column, i) {
        var values = choices(data, column, i);
        var tags = data.rows.some(function (row) { return isTag(column, row[i]); });
        if (values) bar.appendChild(tags ? switches(column, i, values) : menu(column, i, values));
      });
      search.addEventListener('input', function () {
        clearTimeout(waiting);
        waiting = setTimeout(select, 120);
      });
      bar.appendChild(status);
      box.before(bar);
    }

    function heads() {
      table.querySelectorAll('thead th').forEach(function (th, i) {
        var button = element('button', {type: 'button'}, [th.textContent]);
        button.addEventListener('click', function () { sort(i); });
        th.replaceChildren(button);
      });
    }

    window.addEventListener('beforeprint', function () {
      Array.from(table.tBodies).slice(0, PRINTED / CHUNK).forEach(fill);
    });
    hideEmpty();
    if (data.rows.length > FEW) tools();
    heads();
    draw();
  }

  document.querySelectorAll('section.table').forEach(list);
  document.addEventListener('keydown', function (event) {
    var search = document.querySelector('input[type=search]');
    if (event.key !== '/' || !search || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
    event.preventDefault();
    search.focus();
  });
  document.documentElement.dataset.ready = 'yes';
}());
