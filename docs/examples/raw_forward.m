function wrong = raw_forward(folder)
% How many cases fail: float32, forward.  MATLAB and Octave; after refconv export SUITE --format raw --out FOLDER
  lines = strsplit(strtrim(fileread(fullfile(folder, 'index.tsv'))), "\n");
  head = strsplit(lines{1}, "\t");
  passed = 0; wrong = 0;
  for i = 2:numel(lines)
    row = cell2struct(strsplit(lines{i}, "\t"), head, 2);
    if ~strcmp(row.operation, 'forward') || ~strcmp(row.x_dtype, 'float32'), continue, end
    exact = golden(folder, row, 'expected');
    if ischar(exact), continue, end  % a choice has one file for each policy
    got = reshape(convolve(folder, row), [], 1);
    lo = golden(folder, row, 'lo'); hi = golden(folder, row, 'hi');
    right = got == exact | (isnan(got) & isnan(exact));
    if ~ischar(lo), right = right | (lo <= got & got <= hi); end
    if all(right), passed = passed + 1; else, wrong = wrong + 1; printf("FAIL %s\n", row.case); end
  end
  printf("%d passed, %d failed\n", passed, wrong);
  if passed == 0, wrong = 1; end
end

function values = golden(folder, row, part)
  path = fullfile(folder, [row.case '.forward.' part '.bin']);
  if exist(path, 'file'), values = numbers(path); else, values = ''; end
end

function values = numbers(path)
  file = fopen(path, 'r', 'ieee-le');
  values = fread(file, Inf, 'single=>single');
  fclose(file);
end

function y = convolve(folder, row)
% Files are in C order, the last axis fastest; here the first one is, so that all shapes are reversed.
  n = structfun(@str2double, row, 'UniformOutput', false);
  x = zeros(n.W + n.left + n.right, n.H + n.top + n.bottom, n.C, n.N);
  x(n.left + (1:n.W), n.top + (1:n.H), :, :) = reshape(double(numbers(fullfile(folder, row.x))), [n.W n.H n.C n.N]);
  C = n.C / n.G;
  weight = reshape(double(numbers(fullfile(folder, row.weight))), [n.kW n.kH C n.K]);
  y = zeros(n.oW, n.oH, n.K, n.N);
  if ~strcmp(row.bias, '-'), y = y + reshape(double(numbers(fullfile(folder, row.bias))), [1 1 n.K 1]); end
  for k = 1:n.K, for c = 1:C, for kh = 0:n.kH-1, for kw = 0:n.kW-1
    channel = floor((k - 1) / (n.K / n.G)) * C + c;
    iw = (0:n.oW-1) * n.sW + kw * n.dW + 1; ih = (0:n.oH-1) * n.sH + kh * n.dH + 1;
    y(:, :, k, :) = y(:, :, k, :) + weight(kw + 1, kh + 1, c, k) * x(iw, ih, channel, :);
  end, end, end, end
  y = single(y);
end
